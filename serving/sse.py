"""Server-sent events over ASGI: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.client import disconnected

KEEP_ALIVE_S = 15.0
_KEEP_ALIVE = b": keep-alive\n\n"


def encode_event(name: str, data: object, cursor: str = "") -> bytes:
    """One named event; `cursor` is what the browser sends back as Last-Event-ID when it reconnects."""
    identifier = f"id: {cursor}\n" if cursor else ""
    return f"{identifier}event: {name}\ndata: {_dump(data)}\n\n".encode("utf-8", "replace")


def encode_data(data: object) -> bytes:
    """One event without a name, as OpenAI's clients read them."""
    return f"data: {_dump(data)}\n\n".encode("utf-8", "replace")


class EventStream(Response):
    """Sends what `events` yields, each at once, and comments in between so that no proxy takes it for dead.

    `events` is closed when the reader goes away; then `on_abandoned` runs. Code behind a `yield` runs once the event
    was written.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        *,
        on_abandoned: Callable[[], Awaitable[object]] | None = None,
        keep_alive_s: float = KEEP_ALIVE_S,
        headers: dict[str, str] | None = None,
    ) -> None:
        # `x-accel-buffering` tells nginx not to collect the events.
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no", **(headers or {})})
        # The length is not known.
        del self.headers["content-length"]
        self._events = events
        self._on_abandoned = on_abandoned
        self._keep_alive_s = keep_alive_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the events end or the reader goes away."""
        sending = asyncio.create_task(self._send(send))
        gone = asyncio.create_task(disconnected(receive))
        try:
            await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
            abandoned = not sending.done()
        finally:
            sending.cancel()
            gone.cancel()
            results = await asyncio.gather(sending, gone, return_exceptions=True)
        if abandoned:
            if self._on_abandoned is not None:
                await self._on_abandoned()
        elif isinstance(results[0], BaseException):
            raise results[0]

    async def _send(self, send: Send) -> None:
        async with aclosing(self._events):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            keeping_alive = asyncio.create_task(self._keep_alive(send))
            try:
                async for event in self._events:
                    await send({"type": "http.response.body", "body": event, "more_body": True})
            finally:
                keeping_alive.cancel()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _keep_alive(self, send: Send) -> None:
        while True:
            await asyncio.sleep(self._keep_alive_s)
            await send({"type": "http.response.body", "body": _KEEP_ALIVE, "more_body": True})


def _dump(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
