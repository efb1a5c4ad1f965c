"""A file that is made while it is sent."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.errors import GlimtError
from serving.client import unless_gone

WHOLE = "whole"
GONE = "the client went away"


class Download(Response):
    """Sends `pieces`, which are made in threads, one at a time and no faster than the client takes them.

    `ended` is told how it went, last of all. What broke off ends without the end of its HTTP body, so no client takes
    it for whole.
    """

    def __init__(
        self, pieces: Iterator[bytes], name: str, media_type: str, ended: Callable[[str], Awaitable[None]]
    ) -> None:
        super().__init__(
            media_type=media_type,
            headers={
                "content-disposition": f'attachment; filename="{name}"',
                "cache-control": "no-store",
                # nginx is not to collect it.
                "x-accel-buffering": "no",
                "content-security-policy": "default-src 'none'; sandbox",
            },
        )
        # The length is not known.
        del self.headers["content-length"]
        self._pieces = pieces
        self._ended = ended
        self._whole = False
        self._making: asyncio.Future[bytes | None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end, or until the client goes away."""
        how = "it broke off"
        try:
            await unless_gone(receive, self._send(send))
            return
        except ClientDisconnect:
            how = GONE
        except GlimtError as error:
            how = error.code
            raise
        finally:
            # Also when this task was cancelled: the log is to say how it ended.
            if not self._whole:
                await asyncio.shield(self._ended(how))

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            while (piece := await self._next()) is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            await self._close()
        # Written down before the client can know that it has it all.
        await self._ended(WHOLE)
        self._whole = True
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self) -> bytes | None:
        self._making = asyncio.ensure_future(asyncio.to_thread(next, self._pieces, None))
        return await asyncio.shield(self._making)

    async def _close(self) -> None:
        # A thread cannot be stopped in its step, so that is waited for.
        if self._making is not None:
            await asyncio.gather(self._making, return_exceptions=True)
        close = getattr(self._pieces, "close", None)
        if close is not None:
            await asyncio.to_thread(close)
