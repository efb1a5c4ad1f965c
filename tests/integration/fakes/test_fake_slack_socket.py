"""Socket Mode with Bolt's own handler: acknowledgements, retries, and connections that end or go deaf."""

import asyncio

import aiohttp
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.fakes.slack import FakeSlack
from tests.integration.fakes.bolt import Event, bolt


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
            assert delivery.acknowledged
            assert [attempt.ok for attempt in delivery.attempts[:2]] == [False, False]
            assert [attempt.number for attempt in delivery.attempts] == list(range(len(delivery.attempts)))
            assert tries == len(delivery.attempts)

    loop.run(run())


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


def test_a_deaf_connection_is_left_and_mended(slack: FakeSlack, loop: asyncio.Runner) -> None:
    heard: list[Event] = []

    async def listener(event: Event) -> None:
        heard.append(event)

    async def run() -> None:
        slack.deliverer.acknowledge_within = 0.2
        async with bolt(slack, listener, ping=0.4):
            await asyncio.to_thread(slack.wedge)
            assert not slack.connected
            alice = slack.user("alice")
            lost = await slack.say(alice, slack.im(alice), "hello?")
            assert not lost.deliveries[0].acknowledged
            assert [attempt.status for attempt in lost.deliveries[0].attempts] == [0, 0, 0, 0]
            await slack.until(lambda: slack.sockets.opened > 1)
            await asyncio.to_thread(slack.mend)
            slack.deliverer.acknowledge_within = 3
            assert (await slack.say(alice, slack.im(alice), "again")).deliveries[0].acknowledged

    loop.run(run())
    assert {event["text"] for event in heard} == {"again"}


def test_ten_connections_and_no_more(slack: FakeSlack, loop: asyncio.Runner) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            ten = [await session.ws_connect(slack.sockets.ticket()) for _ in range(10)]
            eleventh = await session.ws_connect(slack.sockets.ticket())
            assert (await eleventh.receive_json())["reason"] == "too_many_websockets"
            assert (await eleventh.receive()).type is aiohttp.WSMsgType.CLOSE
            assert not any(socket.closed for socket in ten)

    loop.run(run())


def test_what_acknowledges_nothing_is_a_violation(slack: FakeSlack, loop: asyncio.Runner) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            socket = await session.ws_connect(slack.sockets.ticket())
            assert (await socket.receive_json())["type"] == "hello"
            await socket.send_json({"envelope_id": "unheard-of"})
            await slack.until(lambda: slack.violations)
            assert "unheard-of" in slack.take_violations()[0]
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(slack.sockets.ticket().replace("ticket=", "ticket=x"))

    loop.run(run())


def test_socket_mode_takes_the_token_of_the_app(slack: FakeSlack, client: WebClient) -> None:
    with pytest.raises(SlackApiError, match="missing_scope") as caught:
        client.apps_connections_open(app_token=slack.bot_token)
    assert caught.value.response["needed"] == "connections:write"
    slack.socket_mode = False
    with pytest.raises(SlackApiError, match="forbidden_request"):
        client.apps_connections_open(app_token=slack.app_token)
