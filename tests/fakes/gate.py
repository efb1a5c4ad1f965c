"""Something that waits in a fake until a test lets it go on."""

from __future__ import annotations

import asyncio


class Gate:
    """Holds calls until it is opened, from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()

    def open(self) -> None:
        """Lets all of them go on."""
        self._loop.call_soon_threadsafe(self._event.set)

    async def passed(self) -> None:
        """Returns when it is open. In the fake's loop only."""
        await self._event.wait()
