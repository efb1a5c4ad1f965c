"""The watchdog over the SDK's Socket Mode client: whatever of it dies, questions arrive again."""

import asyncio

import pytest

from tests.fakes.slack import FakeSlack
from tests.integration.slack.office import adapter_over
from tests.processes import Installation, until

TASKS = ("message_processor", "message_receiver", "current_session_monitor")


@pytest.mark.parametrize("dies", ["session", "session and monitor", *TASKS])
def test_what_dies_of_the_client_is_replaced(fresh_at: Installation, dies: str) -> None:
    with FakeSlack() as slack:
        ann = slack.user("ann")
        im = slack.im(ann)
        with adapter_over(fresh_at, slack, ping_s=0.1) as office:
            assert office.adapter is not None
            socket = office.adapter.socket
            assert socket is not None
            assert socket._client is not None
            client = socket._client

            async def die() -> None:
                if dies.startswith("session"):
                    # "Session is closed", again and again, is what bots in the field ended up with.
                    if dies.endswith("monitor") and client.current_session_monitor is not None:
                        client.current_session_monitor.cancel()
                    await client.aiohttp_client_session.close()
                else:
                    task: asyncio.Task[None] = getattr(client, dies)
                    task.cancel()

            office.run(die())
            if dies != "session":
                # With its monitor the SDK opens a new session by itself; without one nobody but us does.
                until(lambda: socket.built > 1, "another client is built")
            until(lambda: socket.alive and slack.connected, "it is connected")
            ts = slack.say(ann, im, f"Without {dies}?").wait(60).ts
            office.take(f"Without {dies}?").answer("Yes.")
            assert office.answer_in(im, ts).text == "Yes."


def test_a_token_that_is_refused_at_first_is_tried_again(fresh_at: Installation) -> None:
    with FakeSlack() as slack:
        ann = slack.user("ann")
        im = slack.im(ann)
        slack.faults.refuse("apps.connections.open", "invalid_auth", 3)
        with adapter_over(fresh_at, slack, ping_s=0.1) as office:
            ts = slack.say(ann, im, "After all?").wait(60).ts
            office.take("After all?").answer("Yes.")
            assert office.answer_in(im, ts).text == "Yes."
