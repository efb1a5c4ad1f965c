"""Bolt's own app, connected to the fake."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack

Event = dict[str, Any]
Listener = Callable[[Event], Awaitable[None]]


def app_of(slack: FakeSlack, listener: Listener, *kinds: str) -> AsyncApp:
    """An app whose events all go to `listener`; what raises there is not acknowledged."""
    app = AsyncApp(
        client=AsyncWebClient(token=slack.bot_token, base_url=slack.api_url),
        signing_secret=slack.signing_secret,
        process_before_response=True,
    )

    async def listen(event: Event) -> None:
        await listener(event)

    for kind in kinds or ("message", "app_mention"):
        app.event(kind)(listen)
    return app


@asynccontextmanager
async def bolt(slack: FakeSlack, listener: Listener, *kinds: str, ping: float = 5) -> AsyncIterator[AsyncApp]:
    """Over Socket Mode."""
    app = app_of(slack, listener, *kinds)
    handler = AsyncSocketModeHandler(
        app, slack.app_token, web_client=AsyncWebClient(base_url=slack.api_url), ping_interval=ping
    )
    connect: Callable[[], Awaitable[None]] = handler.connect_async
    close: Callable[[], Awaitable[None]] = handler.close_async
    await connect()
    await slack.until(lambda: slack.connected)
    try:
        yield app
    finally:
        await close()


@asynccontextmanager
async def bolt_over_http(slack: FakeSlack, listener: Listener, *kinds: str) -> AsyncIterator[AsyncApp]:
    """Over HTTP, on a port of its own that the fake then sends to."""
    app = app_of(slack, listener, *kinds)
    runner = web.AppRunner(app.web_app(path="/slack/events"), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        yield app
    finally:
        slack.request_url = ""
        await runner.cleanup()
