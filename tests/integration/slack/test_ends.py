"""Ends that are not an answer: taken back, archived, thrown out, handed over; and tokens that die in between."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from bots.chat.gather import GIVE_UP_AFTER
from core.store.models import Delivery, Turn
from core.values import AttachmentState, DeliveryState, TurnState, utc_now
from tests.fakes.slack import Channel, FakeSlack
from tests.integration.slack.office import Office, adapter_over, ask_in, asked
from tests.integration.web.site import picture
from tests.processes import Installation, until

SAID = "There are three boats in the harbour, and one of them is red."


def ours(office: Office, channel: Channel, ts: str) -> list[str]:
    """What we have written in a thread."""
    return [s.text for s in office.slack.seen(channel, ts) if s.message.bot_id]


def delivery(office: Office, turn_id: str) -> Delivery:
    with office.at.store.read() as repositories:
        found = repositories.deliveries.of_turn(turn_id)
    assert found is not None
    return found


def failed(office: Office, turn_id: str) -> None:
    until(lambda: delivery(office, turn_id).state == DeliveryState.FAILED, "it is given up")


def test_below_a_question_that_was_taken_back_nothing_is_said(quiet: Office) -> None:
    ann = quiet.slack.user("ann")
    channel = quiet.slack.channel("taken-back", ann)
    root = ask_in(quiet, ann, channel, f"{quiet.slack.workspace.bot_user.mention} First of all?")
    quiet.take("First of all?").answer(SAID)
    quiet.answer_in(channel, root)
    said = quiet.slack.say(ann, channel, "Taken back?", thread=root).wait()
    quiet.slack.wait_for(lambda: quiet.slack.status(channel, root) not in ("", "active"), 30)
    quiet.slack.remove(said.message).wait()
    until(lambda: not quiet.turns_about("Taken back?"), "it is erased")
    quiet.slack.wait_for(lambda: quiet.slack.status(channel, root) in ("", "active"), 30)
    assert ours(quiet, channel, root) == [SAID]


def test_what_is_shown_already_is_brought_to_its_end(quiet: Office) -> None:
    ann = quiet.slack.user("ann")
    im = quiet.slack.im(ann)
    root = ask_in(quiet, ann, im, "Before it?")
    quiet.take("Before it?").answer(SAID)
    quiet.answer_in(im, root)
    said = quiet.slack.say(ann, im, "Taken back in mid-answer?", thread=root).wait()
    work = quiet.take("Taken back in mid-answer?").say(SAID)
    quiet.slack.wait_for(lambda: [s for s in quiet.slack.seen(im, root) if s.streaming and s.text], 30)
    quiet.slack.remove(said.message).wait()
    until(work.stop_requested, "the worker is asked to stop")
    work.stopped(SAID)
    until(lambda: ours(quiet, im, root) == [SAID, f"{SAID}\n\n> Stopped."], "it has an end")


@pytest.mark.parametrize("shown", [True, False])
def test_a_channel_that_is_archived_in_the_middle(quiet: Office, shown: bool) -> None:
    question = f"Archived {shown}?"
    _, channel, ts = asked(quiet, question)
    work = quiet.take(question)
    if shown:
        work.say(SAID)
        quiet.slack.wait_for(lambda: ours(quiet, channel, ts) == [SAID], 30)
    channel.archived = True
    work.answer(f"{SAID} More.")
    if not shown:
        failed(quiet, work.turn.id)
        assert quiet.turn(work.turn.id).state == TurnState.ANSWERED
    else:
        # What streams into a message that is there may still get through; nothing is said twice.
        until(lambda: delivery(quiet, work.turn.id).state in ("sent", "failed"), "it has an end")
    assert len(ours(quiet, channel, ts)) == (1 if shown else 0)


def test_we_are_thrown_out_in_the_middle(quiet: Office) -> None:
    _, channel, ts = asked(quiet, "Thrown out?")
    work = quiet.take("Thrown out?")
    channel.members.discard(quiet.slack.workspace.bot_user.id)
    work.answer(SAID)
    failed(quiet, work.turn.id)
    assert ours(quiet, channel, ts) == []


def test_a_question_that_waits_and_is_handed_over_hears_of_it_and_the_status_goes(quiet: Office) -> None:
    ann, channel, ts = asked(quiet, "For a person?")
    quiet.slack.wait_for(lambda: quiet.slack.status(channel, ts) not in ("", "active"), 30)
    ask_in(quiet, ann, channel, "!human", thread=ts)
    until(lambda: "A person will answer you here." in ours(quiet, channel, ts), "it is said")
    quiet.slack.wait_for(lambda: quiet.slack.status(channel, ts) in ("", "active"), 30)


def test_what_is_erased_in_mid_answer_is_not_left_standing(quiet: Office) -> None:
    ann = quiet.slack.user("ann")
    im = quiet.slack.im(ann)
    ts = ask_in(quiet, ann, im, "To be erased?")
    work = quiet.take("To be erased?").say(SAID)
    quiet.slack.wait_for(lambda: [s for s in quiet.slack.seen(im, ts) if s.streaming and s.text], 30)
    quiet.slack.command(ann, im, "forget").wait()
    asks = quiet.slack.wait_for(lambda: [s for s in quiet.slack.seen(im) if "Shall I erase" in s.text], 30)[0]
    quiet.slack.press(ann, asks.message, "glimt_button_0").wait()
    work.say(" More.")
    quiet.slack.wait_for(lambda: ours(quiet, im, ts) == ["This question was erased."], 15)
    until(lambda: quiet.slack.world.sessions[im.id, ts].status == "active", "and nobody is at work")
    assert quiet.turns_about("To be erased?") == []


def test_a_stopped_stream_of_one_question_leaves_the_status_of_the_next(quiet: Office) -> None:
    ann = quiet.slack.user("ann")
    channel = quiet.slack.channel("one-and-the-next", ann)
    root = ask_in(quiet, ann, channel, f"{quiet.slack.workspace.bot_user.mention} The one?")
    work = quiet.take("The one?").say(SAID)
    quiet.slack.wait_for(lambda: [s for s in quiet.slack.seen(channel, root) if s.streaming and s.text], 30)

    def lines() -> int:
        calls = quiet.slack.called("assistant.threads.setStatus")
        return sum(call.arguments["channel_id"] == channel.id for call in calls)

    before = lines()
    ask_in(quiet, ann, channel, "The next?", thread=root)
    quiet.slack.wait_for(lambda: lines() > before, 30)
    work.answer(SAID)
    quiet.answer_in(channel, root)
    assert quiet.slack.world.sessions[channel.id, root].status == "processing"
    quiet.take("The next?").answer("Yes.")
    quiet.answer_in(channel, root, 2)
    until(lambda: quiet.slack.world.sessions[channel.id, root].status == "active", "nobody is at work")


def test_after_a_restart_the_thread_is_not_at_work_for_ever(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        ann = slack.user("ann")
        im = slack.im(ann)
        with adapter_over(fresh_at, slack) as office:
            ts = ask_in(office, ann, im, "At work for ever?")
            slack.wait_for(lambda: slack.world.sessions.get((im.id, ts)), 30)
            assert slack.world.sessions[im.id, ts].status == "processing"
            work = office.take("At work for ever?").say(SAID)
            slack.wait_for(lambda: [s for s in slack.seen(im, ts) if s.text == SAID], 30)
        work.answer(SAID)
        with adapter_over(fresh_at, slack) as office:
            office.settled()
            assert slack.world.sessions[im.id, ts].status == "active"
            assert ours(office, im, ts) == [SAID]


@pytest.mark.parametrize(
    "code", ["token_revoked", "invalid_auth", "account_inactive", "token_expired", "missing_scope"]
)
def test_a_token_that_is_refused_once_costs_no_answer(quiet: Office, code: str) -> None:
    question = f"With {code}?"
    _, channel, ts = asked(quiet, question)
    work = quiet.take(question)
    for method in ("chat.startStream", "chat.postMessage"):
        quiet.slack.faults.refuse(method, code, 1)
    work.answer(SAID)
    assert quiet.answer_in(channel, ts).text == SAID
    quiet.settled()
    assert ours(quiet, channel, ts) == [SAID]
    assert quiet.adapter is not None
    quiet.adapter.desk.platform.statuses.forget(channel.team_id)


def test_what_one_place_lacks_the_others_keep(quiet: Office) -> None:
    assert quiet.adapter is not None
    _, channel, ts = asked(quiet, "Lacking here?")
    quiet.slack.faults.refuse("chat.startStream", "channel_type_not_supported", 1)
    work = quiet.take("Lacking here?").say(SAID)
    quiet.slack.wait_for(
        lambda: [c for c in quiet.slack.called("chat.startStream") if c.arguments["channel"] == channel.id], 30
    )
    work.answer(SAID)
    assert quiet.answer_in(channel, ts).text == SAID
    _, other, again = asked(quiet, "Lacking there?")
    work = quiet.take("Lacking there?").say(SAID)
    quiet.slack.wait_for(lambda: [s for s in quiet.slack.seen(other, again) if s.streaming], 30)
    work.answer(SAID)
    quiet.settled()


def test_a_profile_that_slack_did_not_tell_is_asked_for_again(quiet: Office) -> None:
    assert quiet.adapter is not None
    people = quiet.adapter.desk.people
    lin = quiet.slack.user("lin", locale="zh-CN")
    team = quiet.slack.workspace.id
    quiet.slack.faults.refuse("users.info", "internal_error", 1)
    assert quiet.run(people.learn(team, lin.id)).locale == ""
    known = people._profiles[team, lin.id]
    # A minute later.
    people._profiles[team, lin.id] = known._replace(at=known.at - 61)
    assert quiet.run(people.learn(team, lin.id)).locale == "zh-CN"


def test_files_that_cannot_be_had_do_not_keep_the_question_for_ever(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        ann = slack.user("ann")
        channel = slack.channel("for-ever", ann)
        bot = slack.workspace.bot_user.mention
        with adapter_over(fresh_at, slack) as office:
            root = slack.say(ann, channel, "Root", files=[slack.file("a.png", picture(), ann)], silent=True).ts
            # As often as anybody could try: Slack is away.
            slack.faults.lose_answer("conversations.replies", 10_000)
            ts = ask_in(office, ann, channel, f"{bot} For ever?", thread=root)
            turn_id = office.turn_of(channel, ts).id
            slack.wait_for(lambda: len(slack.called("conversations.replies")) >= 3, 30)
            assert office.turn(turn_id).state == TurnState.GATHERING
            with fresh_at.store.write() as repositories:
                long_ago = utc_now() - GIVE_UP_AFTER - timedelta(seconds=1)
                repositories.session.execute(update(Turn).where(Turn.id == turn_id).values(created_at=long_ago))
        with adapter_over(fresh_at, slack) as office:
            turn = office.until_state(turn_id, TurnState.READY)
            refused = [a.name for a in turn.attachments if a.state == AttachmentState.REFUSED]
            assert "files of the thread" in refused
            slack.faults.clear()
            office.take("For ever?").answer(SAID)
            assert "Slack did not hand it out in time" in office.answer_in(channel, root).text
