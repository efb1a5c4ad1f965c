"""Socket Mode with Bolt's own handler: acknowledgements, retries, and connections that end or go deaf."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack

Event = dict[str, Any]
Listener = Callable[[Event], Awaitable[None]]


@asynccontextmanager
async def bolt(slack: FakeSlack, listener: Listener, *kinds: str, ping: float = 5) -> AsyncIterator[AsyncApp]:
    """A connected app whose events all go to `listener`; what raises there is not acknowledged."""
    app = AsyncApp(client=AsyncWebClient(token=slack.bot_token, base_url=slack.api_url), process_before_response=True)

    async def listen(event: Event) -> None:
        await listener(event)

    for kind in kinds or ("message", "app_mention"):
        app.event(kind)(listen)
    handler = AsyncSocketModeHandler(
        app, slack.app_token, web_client=AsyncWebClient(base_url=slack.api_url), ping_interval=ping
    )
    await handler.connect_async()
    await slack.until(lambda: slack.connected)
    try:
        yield app
    finally:
        await handler.close_async()


def test_a_mention_comes_as_two_events_that_tell_of_one_message(slack: FakeSlack, loop: asyncio.Runner) -> None:
    heard: list[Event] = []

    async def listener(event: Event) -> None:
        heard.append(event)

    async def run() -> None:
        async with bolt(slack, listener):
            alice = slack.user("alice")
            general = slack.channel("general", alice)
            said = await slack.say(alice, general, f"{slack.workspace.bot_user.mention} hi")
            assert all(delivery.acknowledged for delivery in said.deliveries)
            assert len({delivery.payload["event_id"] for delivery in said.deliveries}) == 2

    loop.run(run())
    assert sorted(event["type"] for event in heard) == ["app_mention", "message"]
    assert len({(event["channel"], event["ts"]) for event in heard}) == 1


def test_what_is_not_acknowledged_comes_again_and_says_so(slack: FakeSlack, loop: asyncio.Runner) -> None:
    tries = 0

    async def listener(event: Event) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise RuntimeError("the database is away")

    async def run() -> None:
        slack.deliverer.acknowledge_within = 0.3
        async with bolt(slack, listener):
            alice = slack.user("alice")
            said = await slack.say(alice, slack.im(alice), "hi")
            (delivery,) = said.deliveries
            assert [attempt.ok for attempt in delivery.attempts] == [False, False, True]
            assert [attempt.number for attempt in delivery.attempts] == [0, 1, 2]

    loop.run(run())
    assert tries == 3


@pytest.mark.parametrize("reason", ["refresh_requested", "abrupt"])
def test_the_app_comes_back_after_a_disconnect(slack: FakeSlack, loop: asyncio.Runner, reason: str) -> None:
    heard: list[Event] = []

    async def listener(event: Event) -> None:
        heard.append(event)

    async def run() -> None:
        async with bolt(slack, listener, ping=0.2):
            await asyncio.to_thread(slack.disconnect, reason)
            alice = slack.user("alice")
            said = await slack.say(alice, slack.im(alice), "are you back?")
            assert said.deliveries[0].acknowledged
            assert slack.sockets.opened == 2

    loop.run(run())
    assert [event["text"] for event in heard] == ["are you back?"]
