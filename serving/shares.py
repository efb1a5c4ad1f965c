"""Equal shares of what is scarce: how much of it one person may use at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class _Share:
    free: asyncio.Semaphore
    users: int = 0


class Shares:
    """Lets each person do `each` things at once and has the others wait, first come, first served.

    For one event loop. Whoever takes a share gives it back.
    """

    def __init__(self, each: int) -> None:
        self._each = each
        self._shares: dict[str, _Share] = {}

    async def take(self, person: str) -> None:
        """Wait until `person` may begin one more. When cancelled while it waits, nothing is taken."""
        share = self._shares.setdefault(person, _Share(asyncio.Semaphore(self._each)))
        share.users += 1
        try:
            await share.free.acquire()
        except BaseException:
            self._leave(person, share)
            raise

    def give_back(self, person: str) -> None:
        """One of them has ended."""
        share = self._shares[person]
        share.free.release()
        self._leave(person, share)

    @asynccontextmanager
    async def one_of(self, person: str) -> AsyncIterator[None]:
        """Take a share for the time of the block."""
        await self.take(person)
        try:
            yield
        finally:
            self.give_back(person)

    def _leave(self, person: str, share: _Share) -> None:
        share.users -= 1
        if not share.users:
            del self._shares[person]
