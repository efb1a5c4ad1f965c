"""Reading request bodies within their limits, before anything buffers them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.types import Message

from core.errors import Busy, RequestTooLarge, RequestTooSlow
from core.settings import MIB, Settings

# Room for everything in a body that is not a picture.
TEXT_ROOM = 4 * MIB
# A sender that is silent for so long has gone.
SILENCE_S = 30.0
# Room for bodies in memory, in the largest that there may be.
LARGEST_AT_ONCE = 4
# While a JSON body becomes a question, its bytes, its text and the URLs cut out of that are there together.
JSON_COPIES = 3


class Bodies:
    """Admits bodies: each up to its own limit, and all that are being worked on up to a common one."""

    def __init__(self, settings: Settings, silence_s: float = SILENCE_S) -> None:
        self._silence_s = silence_s
        pictures = settings.pictures_per_turn * settings.picture_max_bytes
        self.upload_limit = pictures + TEXT_ROOM
        # Base64 makes four bytes of three.
        self.json_limit = pictures * 4 // 3 + TEXT_ROOM
        self._room = LARGEST_AT_ONCE * self.json_limit
        self._all_room = self._room

    @property
    def held_bytes(self) -> int:
        """Bytes that the bodies which are being worked on take, with their copies."""
        return self._all_room - self._room

    @contextmanager
    def admit(self, request: Request, limit: int, *, copies: int = 1) -> Iterator[Request]:
        """A request like `request` whose body ends with an error behind `limit` bytes. Each byte that was read counts
        `copies` times against the common room until the block ends; what is made of the body must not outlive it.

        Raises (also while the body is read):
            RequestTooLarge: the body is longer, or says it will be.
            RequestTooSlow: nothing came for `silence_s` seconds.
            Busy: too much is being worked on already.
        """
        declared = request.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
            raise _too_large(limit)
        read = 0

        async def receive() -> Message:
            nonlocal read
            try:
                async with asyncio.timeout(self._silence_s):
                    message = await request.receive()
            except TimeoutError:
                raise RequestTooSlow from None
            size = len(message.get("body", b""))
            if read + size > limit:
                raise _too_large(limit)
            if size * copies > self._room:
                raise Busy(user_message="Too many large requests came at once. Please try again in a moment.")
            read += size
            self._room -= size * copies
            return message

        try:
            yield Request(request.scope, receive)
        finally:
            self._room += read * copies


def _too_large(limit: int) -> RequestTooLarge:
    return RequestTooLarge(
        user_message=f"The request has more than {limit // MIB} MiB. Send fewer or smaller pictures."
    )
