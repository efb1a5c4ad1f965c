"""Stop, by each way there is: it reaches the worker and leaves what was said."""

from collections.abc import Callable

import pytest

from tests.fakes.slack import Channel, User
from tests.integration.slack.office import Office, ask_in, asked
from tests.processes import until

SAID = "There are three boats in the harbour, and one of them is red. "


def by_slacks_button(office: Office, ann: User, channel: Channel, root: str) -> None:
    office.slack.stop(ann, channel, root).wait()


def by_word(office: Office, ann: User, channel: Channel, root: str) -> None:
    ask_in(office, ann, channel, "!stop", thread=root)


def by_mention(office: Office, ann: User, channel: Channel, root: str) -> None:
    ask_in(office, ann, channel, f"{office.slack.workspace.bot_user.mention} stop", thread=root)


def by_slash_command(office: Office, ann: User, channel: Channel, root: str) -> None:
    office.slack.command(ann, channel, "stop").wait()


WAYS = [by_slacks_button, by_word, by_mention, by_slash_command]
Way = Callable[[Office, User, Channel, str], None]


@pytest.mark.parametrize("stop", WAYS)
def test_an_answer_that_is_being_written(office: Office, stop: Way) -> None:
    question = f"Stopped {stop.__name__}?"
    ann, channel, ts = asked(office, question)
    work = office.take(question).say(SAID)
    office.slack.wait_for(lambda: [s for s in office.slack.seen(channel, ts) if s.text == SAID], 30)
    stop(office, ann, channel, ts)
    until(work.stop_requested, "the worker is asked to stop")
    work.stopped(SAID)
    until(lambda: any("Stopped." in s.text for s in office.slack.answers(channel, ts)), "it is said below")
    office.settled()
    last = [s for s in office.slack.answers(channel, ts) if SAID.strip() in s.text]
    assert [s.text for s in last] == [f"{SAID.strip()}\n\n> Stopped."]
    assert last[0].buttons == ("Try again",)
    assert office.slack.status(channel, ts) in ("active", "")


@pytest.mark.parametrize("stop", [by_word, by_slacks_button])
def test_a_question_that_waits(office: Office, stop: Way) -> None:
    question = f"Waiting {stop.__name__}?"
    ann, channel, ts = asked(office, question)
    office.slack.wait_for(lambda: office.slack.status(channel, ts), 30)
    stop(office, ann, channel, ts)
    until(lambda: office.turn_of(channel, ts).state == "cancelled", "it is cancelled")
    until(lambda: any("> Stopped." in s.text for s in office.slack.answers(channel, ts)), "it is said below")


def test_slacks_stop_is_final_also_where_the_stream_cannot_be_ended_any_more(office: Office) -> None:
    office.slack.stop_after_user = False
    try:
        test_an_answer_that_is_being_written(office, by_slacks_button_strictly)
    finally:
        office.slack.stop_after_user = True


def by_slacks_button_strictly(office: Office, ann: User, channel: Channel, root: str) -> None:
    by_slacks_button(office, ann, channel, root)


def test_the_button_in_a_message_that_is_edited(office: Office) -> None:
    assert office.adapter is not None
    office.adapter.desk.platform.statuses.lack_streams(office.slack.workspace.id)
    try:
        ann, channel, ts = asked(office, "With a button?")
        work = office.take("With a button?").say(SAID)
        seen = office.slack.wait_for(lambda: [s for s in office.slack.seen(channel, ts) if "Stop" in s.buttons], 30)[0]
        office.slack.press(ann, seen.message, "glimt_button_0").wait()
        until(work.stop_requested, "the worker is asked to stop")
        work.stopped(SAID)
        until(lambda: "Stopped." in office.slack.seen(channel, ts)[-1].text, "it is said")
    finally:
        office.adapter.desk.platform.statuses.forget(office.slack.workspace.id)
