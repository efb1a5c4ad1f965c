"""Where people ask, and how each question is answered once, in its thread."""

import pytest

from core.values import utc_now
from tests.fakes.slack import Channel, User
from tests.integration.slack.office import Office, ask_in
from tests.integration.web.site import Work
from tests.processes import until

LONG = "It is red, and round like a ball that somebody has thrown very far, and then forgotten in the grass."


def answer(office: Office, question: str, text: str = LONG) -> Work:
    """Be the worker for one question."""
    work = office.take(question)
    half = len(text) // 2
    work.say(text[:half]).say(text[half:])
    work.answer(text)
    return work


def team(office: Office, name: str) -> tuple[User, Channel]:
    """Somebody, and a channel with the bot in it."""
    ann = office.slack.user("ann")
    return ann, office.slack.channel(name, ann)


def test_a_direct_message(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    ts = ask_in(office, ann, im, "What colour is it?")
    answer(office, "What colour is it?")
    seen = office.answer_in(im, ts)
    assert seen.text == LONG
    assert seen.buttons == ("👍", "👎")


def test_a_mention_comes_as_two_events_and_is_one_question(office: Office) -> None:
    ann, channel = team(office, "pairs")
    bot = office.slack.workspace.bot_user.mention
    said = office.slack.say(ann, channel, f"{bot} What is in the pair?").wait()
    assert len(said.deliveries) == 2
    assert all(delivery.acknowledged for delivery in said.deliveries)
    answer(office, "What is in the pair?")
    office.answer_in(channel, said.ts)
    office.settled()
    assert len(office.turns_about("What is in the pair?")) == 1
    assert len(office.slack.answers(channel, said.ts)) == 1


def test_a_follow_up_in_a_thread_needs_no_mention(office: Office) -> None:
    ann, channel = team(office, "follow-up")
    bob = office.slack.user("bob")
    root = ask_in(office, ann, channel, f"{office.slack.workspace.bot_user.mention} What stands there?")
    answer(office, "What stands there?")
    office.answer_in(channel, root)
    second = ask_in(office, bob, channel, "And behind it?", thread=root)
    answer(office, "And behind it?", "A tree.")
    assert office.answer_in(channel, root, 2).text == "A tree."
    first_turn, next_turn = office.turn_of(channel, root), office.turn_of(channel, second)
    assert (first_turn.conversation_id, next_turn.seq) == (next_turn.conversation_id, 2)
    assert first_turn.person_id != next_turn.person_id


def test_what_is_not_for_us_is_acknowledged_and_left_alone(office: Office) -> None:
    ann, channel = team(office, "others")
    bob = office.slack.user("bob")
    before = office.events()
    ask_in(office, ann, channel, "Lunch?")
    root = ask_in(office, ann, channel, "Who is in?")
    ask_in(office, bob, channel, "Me.", thread=root)
    assert office.events() == before


def test_in_our_thread_somebody_may_turn_to_somebody_else(office: Office) -> None:
    ann, channel = team(office, "aside")
    bob = office.slack.user("bob")
    root = ask_in(office, ann, channel, f"{office.slack.workspace.bot_user.mention} Is it a cat?")
    answer(office, "Is it a cat?")
    office.answer_in(channel, root)
    before = office.events()
    ask_in(office, ann, channel, f"{bob.mention} what do you say?", thread=root)
    assert office.events() == before


def test_a_group_conversation_wants_a_mention_once(office: Office) -> None:
    ann, bob = office.slack.user("ann"), office.slack.user("bob")
    group = office.slack.mpim(ann, bob)
    before = office.events()
    ask_in(office, ann, group, "Hello Bob")
    assert office.events() == before
    root = ask_in(office, ann, group, f"{office.slack.workspace.bot_user.mention} Who is this in the group?")
    answer(office, "Who is this in the group?")
    office.answer_in(group, root)
    ask_in(office, bob, group, "Are you sure?", thread=root)
    answer(office, "Are you sure?", "Yes.")
    assert office.answer_in(group, root, 2).text == "Yes."


def test_copies_with_new_event_ids_in_any_order_are_one_question(office: Office) -> None:
    ann, channel = team(office, "copies")
    bot = office.slack.workspace.bot_user.mention
    said = office.slack.say(ann, channel, f"{bot} What is doubled?", copies=4, shuffle=7).wait()
    assert len(said.deliveries) == 8
    assert all(delivery.acknowledged for delivery in said.deliveries)
    answer(office, "What is doubled?")
    office.answer_in(channel, said.ts)
    again = [office.slack.redeliver(delivery).wait() for delivery in said.deliveries]
    assert all(delivery.acknowledged for delivery in again)
    office.settled()
    assert len(office.turns_about("What is doubled?")) == 1
    assert len(office.slack.answers(channel, said.ts)) == 1


def test_what_looks_like_a_retry_but_is_the_first_is_not_dropped(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    said = office.slack.say(ann, im, "Did the first one get lost?", silent=True)
    event = {
        "type": "message",
        "channel": im.id,
        "channel_type": "im",
        "user": ann.id,
        "ts": said.ts,
        "text": "Did the first one get lost?",
    }
    assert office.slack.deliver(event, channel=im, first=2).wait().acknowledged
    answer(office, "Did the first one get lost?", "Yes.")
    assert office.answer_in(im, said.ts).text == "Yes."


def test_an_edit_of_a_question_that_waits_replaces_it(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    said = office.slack.say(ann, im, "What kolour is the boat?").wait()
    office.slack.edit(said.message, "What colour is the boat?").wait()
    answer(office, "What colour is the boat?", "Blue.")
    assert office.answer_in(im, said.ts).text == "Blue."
    assert not office.turns_about("What kolour is the boat?")


def test_an_edit_of_a_question_that_is_being_answered_changes_nothing(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    said = office.slack.say(ann, im, "How many boats?").wait()
    work = office.take("How many boats?")
    assert office.slack.edit(said.message, "How many ships?").wait().deliveries[0].acknowledged
    work.say("Three.").answer("Three.")
    assert office.answer_in(im, said.ts).text == "Three."
    assert office.turn_of(im, said.ts).question == "How many boats?"


def test_an_edit_that_overtakes_its_message_is_the_question(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    said = office.slack.say(ann, im, "Wat is it?", silent=True)
    office.slack.edit(said.message, "What is it, this overtaken thing?").wait()
    late = {
        "type": "message",
        "channel": im.id,
        "channel_type": "im",
        "user": ann.id,
        "ts": said.ts,
        "text": "Wat is it?",
    }
    assert office.slack.deliver(late, channel=im).wait().acknowledged
    answer(office, "What is it, this overtaken thing?", "A car.")
    assert office.answer_in(im, said.ts).text == "A car."
    assert not office.turns_about("Wat is it?")


def test_a_deleted_question_is_not_answered(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    said = office.slack.say(ann, im, "Never mind this.").wait()
    office.slack.remove(said.message).wait()
    # Neither is it kept, nor does it come back when Slack repeats itself.
    until(lambda: not office.turns_about("Never mind this."), "it is erased")
    again = {"type": "message", "channel": im.id, "channel_type": "im", "user": ann.id, "ts": said.ts, "text": "Never."}
    assert office.slack.deliver(again, channel=im).wait().acknowledged
    assert not office.turns_about("Never.")
    office.settled()
    assert not [seen for seen in office.slack.answers(im, said.ts) if "Never" in seen.text]


def test_a_deleted_question_takes_its_answer_along_unless_it_must_be_kept(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    said = office.slack.say(ann, im, "An answered secret?").wait()
    answer(office, "An answered secret?", "A secret answer.")
    assert office.answer_in(im, said.ts).text == "A secret answer."
    turn = office.turn_of(im, said.ts)
    kept = office.slack.say(ann, im, "To be kept?").wait()
    answer(office, "To be kept?", "Kept.")
    assert office.answer_in(im, kept.ts).text == "Kept."
    held = office.turn_of(im, kept.ts)
    with office.at.store.write() as repositories:
        repositories.retention.set_hold(held.conversation_id, "a dispute", "olga", utc_now())
    office.settled()
    for message in (kept.message, said.message):
        office.slack.remove(message).wait()
    until(lambda: not office.turns_about("An answered secret?"), "it is erased")
    with office.at.store.read() as repositories:
        assert repositories.turns.get(turn.id) is None
        assert repositories.turns.get(held.id) is not None


def test_a_deletion_that_overtakes_its_message_keeps_it_from_being_answered(office: Office) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    said = office.slack.say(ann, im, "Gone before it came.", silent=True)
    office.slack.remove(said.message).wait()
    late = {"type": "message", "channel": im.id, "channel_type": "im", "user": ann.id, "ts": said.ts, "text": "Gone."}
    assert office.slack.deliver(late, channel=im).wait().acknowledged
    assert not office.turns_about("Gone.")


@pytest.mark.parametrize("kind", ["bot", "join"])
def test_nobodys_words_are_no_question(office: Office, kind: str) -> None:
    ann = office.slack.user("ann")
    im = office.slack.im(ann)
    event = {"type": "message", "channel": im.id, "channel_type": "im", "ts": "17.0", "text": "hi", "user": ann.id}
    event |= {"bot_id": "B1"} if kind == "bot" else {"subtype": "channel_join"}
    before = office.events()
    assert office.slack.deliver(event, channel=im).wait().acknowledged
    assert office.events() == before
