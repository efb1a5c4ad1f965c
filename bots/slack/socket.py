"""Socket Mode: one WebSocket to Slack, and a watchdog that builds a new one when it has gone deaf.

The SDK reconnects by itself, but was seen to end up with a session that is closed for good, or that answers no ping any
more, without noticing. What decides here is progress: an open session whose pings are answered. Events that nobody
acknowledged meanwhile are sent again by Slack.
"""

import asyncio
import contextlib
import time

import structlog
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger(__name__)

PING_S = 10.0
# Pings without an answer, before the client is given up. The SDK itself tries anew after four.
SILENT_PINGS = 6
_CLOSE_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


class SocketTransport:
    """Feeds Bolt until it is cancelled. `ping_s`: seconds between two pings."""

    def __init__(self, app: AsyncApp, app_token: str, api_url: str, *, ping_s: float = PING_S) -> None:
        self._app = app
        self._app_token = app_token
        self._api_url = api_url
        self._ping_s = ping_s
        self._silence_s = SILENT_PINGS * ping_s
        self._client: SocketModeClient | None = None
        # How many clients were built.
        self.built = 0
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Keep one client connected."""
        pause = _FIRST_PAUSE_S
        while True:
            handler = self._build()
            try:
                async with asyncio.timeout(self._silence_s):
                    await handler.connect_async()
                self.connected.set()
                log.info("slack_connected", built=self.built)
                pause = _FIRST_PAUSE_S
                reason = await self._watch(handler.client)
                log.warning("slack_client_rebuilt", reason=reason)
            except TimeoutError:
                log.warning("slack_not_reached", again_in_s=pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            finally:
                self.connected.clear()
                await self._close(handler)

    @property
    def alive(self) -> bool:
        """Whether events can arrive at this moment."""
        return self._client is not None and _trouble(self._client) == ""

    def _build(self) -> AsyncSocketModeHandler:
        self.built += 1
        handler = AsyncSocketModeHandler(
            self._app,
            self._app_token,
            # By itself, because the app's own client is at home with the bot token.
            web_client=AsyncWebClient(token=self._app_token, base_url=self._api_url),
            ping_interval=self._ping_s,
        )
        self._client = handler.client
        return handler

    async def _watch(self, client: SocketModeClient) -> str:
        """Until the client is beyond hope; why."""
        good = time.monotonic()
        while True:
            await asyncio.sleep(self._ping_s / 2)
            if (ended := _ended_task(client)) != "":
                return ended
            trouble = _trouble(client) or self._silence(client)
            if not trouble:
                good = time.monotonic()
            elif time.monotonic() - good > self._silence_s:
                return trouble

    def _silence(self, client: SocketModeClient) -> str:
        answered = client.last_ping_pong_time
        if answered is not None and time.time() - answered > 2 * self._ping_s:
            return "no answer to pings"
        return ""

    async def _close(self, handler: AsyncSocketModeHandler) -> None:
        self._client = None
        # Whatever state it is in: closing must neither hang nor keep a new one from being built.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CLOSE_S):
                await handler.close_async()
        with contextlib.suppress(Exception):
            await handler.client.aiohttp_client_session.close()


def _trouble(client: SocketModeClient) -> str:
    if client.aiohttp_client_session.closed:
        return "session is closed"
    if client.current_session is None or client.current_session.closed:
        return "not connected"
    return ""


def _ended_task(client: SocketModeClient) -> str:
    """Tasks of the SDK that nobody would start again."""
    for name in ("message_processor", "message_receiver", "current_session_monitor"):
        task = getattr(client, name, None)
        if task is not None and task.done():
            # The receiver and the monitor of a session end when the next one begins; the last ones stay.
            return f"{name} has ended"
    return ""
