"""How an answer comes to its thread: streamed, and exactly once and whole whatever Slack refuses on the way."""

import pytest

from tests.fakes.slack import Channel, FakeSlack, Seen
from tests.integration.slack.office import Office, adapter_over, ask_in, asked
from tests.processes import Installation, until

FIRST = "There are three boats in the harbour, and one of them is red. "
REST = "The red one is the smallest; behind it stands a lighthouse with a green roof."
WHOLE = FIRST + REST


def once(office: Office, channel: Channel, ts: str, text: str = WHOLE) -> Seen:
    """The one answer below a question, which is whole."""
    seen = office.answer_in(channel, ts)
    office.settled()
    ours = [s for s in office.slack.seen(channel, ts) if s.message.bot_id]
    assert len(ours) == 1, ours
    seen = ours[0]
    assert not seen.streaming
    assert seen.text == text
    session = office.slack.world.sessions.get((channel.id, ts))
    assert session is None or session.status == "active"
    return seen


def shown(office: Office, channel: Channel, ts: str) -> Seen:
    """The answer as it begins to appear."""
    return office.slack.wait_for(
        lambda: [s for s in office.slack.seen(channel, ts) if s.message.bot_id and s.text], 30
    )[0]


def test_text_appears_while_it_is_written(quiet: Office) -> None:
    _, channel, ts = asked(quiet, "What is in the harbour?")
    quiet.slack.wait_for(lambda: quiet.slack.status(channel, ts), 30)
    work = quiet.take("What is in the harbour?").say(FIRST)
    seen = shown(quiet, channel, ts)
    assert (seen.text, seen.streaming) == (FIRST, True)
    work.say(REST).answer(WHOLE)
    assert once(quiet, channel, ts).buttons == ("👍", "👎")
    assert len(quiet.slack.called("chat.startStream")) >= 1
    assert quiet.slack.status(channel, ts) == "active"


def test_who_waits_sees_the_place_in_the_queue(fresh_at: Installation) -> None:
    # Of its own: what other tests leave unanswered waits, too.
    with FakeSlack() as slack, adapter_over(fresh_at, slack) as office:
        _, first_channel, first = asked(office, "Which one first?")
        office.slack.wait_for(lambda: office.slack.status(first_channel, first), 30)
        _, channel, ts = asked(office, "Which one second?")
        office.slack.wait_for(lambda: office.slack.status(channel, ts) == "1 question is before yours.", 30)
        office.take("Which one first?").answer("First.")
        office.slack.wait_for(lambda: office.slack.status(channel, ts) == "Your question is next.", 30)
        office.take("Which one second?").answer("Second.")
        once(office, channel, ts, "Second.")


def test_a_stream_that_expired_is_finished_by_an_edit(quiet: Office) -> None:
    _, channel, ts = asked(quiet, "Slowly, please?")
    work = quiet.take("Slowly, please?").say(FIRST)
    shown(quiet, channel, ts)
    quiet.slack.world.clock.advance(301)
    work.say(REST).answer(WHOLE)
    once(quiet, channel, ts)


def called(office: Office, method: str, channel: Channel) -> bool:
    """Whether a method was called for a channel, whatever came of it."""
    return any(call.arguments.get("channel") == channel.id for call in office.slack.called(method))


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("chat.startStream", "not_allowed"),
        ("chat.startStream", "internal_error"),
        ("chat.startStream", "lost"),
        ("chat.appendStream", "message_not_in_streaming_state"),
        ("chat.appendStream", "lost"),
        ("chat.stopStream", "message_not_in_streaming_state"),
        ("chat.stopStream", "internal_error"),
        ("chat.stopStream", "lost"),
        ("chat.postMessage", "lost"),
    ],
)
def test_whatever_slack_refuses_the_answer_comes_once(quiet: Office, method: str, code: str) -> None:
    question = f"{method} and {code}?"
    if code == "lost":
        # As often as the SDK tries by itself.
        quiet.slack.faults.lose_answer(method, 3)
    else:
        quiet.slack.faults.refuse(method, code, 1)
    _, channel, ts = asked(quiet, question)
    if method == "chat.postMessage":
        quiet.slack.faults.refuse("chat.startStream", "not_allowed", 1)
    work = quiet.take(question).say(FIRST)
    quiet.slack.wait_for(lambda: called(quiet, "chat.startStream", channel), 30)
    work.say(REST)
    if method == "chat.appendStream":
        quiet.slack.wait_for(lambda: called(quiet, method, channel), 30)
    work.answer(WHOLE)
    once(quiet, channel, ts)
    assert called(quiet, method, channel)
    assert quiet.adapter is not None
    quiet.adapter.desk.platform.statuses.forget(channel.team_id)


@pytest.mark.parametrize("method", ["chat.startStream", "chat.stopStream"])
def test_asked_too_often_it_waits_as_long_as_it_is_told(quiet: Office, method: str) -> None:
    question = f"{method} too often?"
    quiet.slack.faults.limit(method, 1, retry_after=1)
    _, channel, ts = asked(quiet, question)
    quiet.take(question).say(FIRST).say(REST).answer(WHOLE)
    once(quiet, channel, ts)


def test_an_attempt_that_begins_anew_leaves_nothing_of_the_first(quiet: Office) -> None:
    _, channel, ts = asked(quiet, "Twice begun?")
    work = quiet.take("Twice begun?").say("It is a dog that sleeps in the sun beside the door.")
    shown(quiet, channel, ts)
    again = work.retry("This took too much memory. It will be tried again.")
    again.say(FIRST)
    again.say(REST).answer(WHOLE)
    once(quiet, channel, ts)


def test_a_long_answer_comes_in_several_messages(quiet: Office) -> None:
    paragraphs = [f"Paragraph {n}: " + "word " * 100 for n in range(60)]
    whole = "\n\n".join(p.strip() for p in paragraphs)
    _, channel, ts = asked(quiet, "All of it?")
    quiet.take("All of it?").say(whole[:6000]).say(whole[6000:]).answer(whole)
    quiet.answer_in(channel, ts, 3)
    quiet.settled()
    parts = quiet.slack.answers(channel, ts)
    assert "\n\n".join(part.text for part in parts) == whole
    assert [bool(part.buttons) for part in parts] == [False] * (len(parts) - 1) + [True]


def test_a_failure_says_what_happened_and_offers_another_try(quiet: Office) -> None:
    ann, channel, ts = asked(quiet, "Does it fail?")
    quiet.take("Does it fail?").fail("deadline", "This took too long. Please ask again.")
    seen = once(quiet, channel, ts, "> This took too long. Please ask again.")
    assert seen.buttons == ("Try again",)
    quiet.slack.press(ann, seen.message, "glimt_button_0").wait()
    work = quiet.take("Does it fail?")
    work.say(FIRST).answer(WHOLE)
    until(lambda: quiet.slack.answers(channel, ts)[-1].text == WHOLE, "the second answer is there")
    quiet.settled()


def test_thumbs_and_the_reason_are_kept(quiet: Office) -> None:
    ann, channel, ts = asked(quiet, "Any good?")
    work = quiet.take("Any good?")
    work.answer(WHOLE)
    seen = once(quiet, channel, ts)
    quiet.slack.press(ann, seen.message, "glimt_feedback", choice="negative").wait()

    def verdict() -> tuple[int, str]:
        with quiet.at.store.read() as repositories:
            found = repositories.feedback.of_turn(work.turn.id)
        return (found[0].rating, found[0].reason) if found else (0, "")

    until(lambda: verdict() == (-1, ""), "the verdict is kept")
    why = quiet.slack.wait_for(
        lambda: [s for s in quiet.slack.seen(channel, ts, by=ann) if "Not correct" in s.buttons], 30
    )[0]
    quiet.slack.press(ann, why.message, "glimt_button_0").wait()
    until(lambda: verdict() == (-1, "wrong"), "the reason is kept")


def test_without_an_agent_there_is_a_status_line_or_a_placeholder(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        slack.workspace.agent = False
        slack.faults.refuse("assistant.threads.setStatus", "not_allowed_token_type", 99)
        slack.faults.refuse("chat.startStream", "not_allowed", 99)
        with adapter_over(fresh_at, slack) as office:
            ann = slack.user("ann")
            im = slack.im(ann)
            ts = ask_in(office, ann, im, "With a placeholder?")
            slack.wait_for(lambda: [s for s in slack.seen(im, ts) if s.text.startswith("_")], 30)
            office.take("With a placeholder?").say(FIRST).say(REST).answer(WHOLE)
            until(lambda: slack.seen(im, ts)[-1].text == WHOLE, "the placeholder becomes the answer")
            assert once(office, im, ts).buttons == ("👍", "👎")
