"""How many requests are at the backend at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Place:
    """A request's place inside. `round` says how often the gate had been narrowed when it was taken."""

    round: int


class Gate:
    """Lets at most so many in, first come first served; belongs to one event loop.

    Whoever hears from the server that it is too much narrows the gate to half, and each answer that came through
    widens it by one, up to what it was made with. So it settles near what the server takes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._rounds = 0
        self.limit = most
        self.inside = 0

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Place]:
        """Wait for a place and have it for the block."""
        if self.inside >= self.limit or self._waiting:
            await self._wait()
        else:
            self.inside += 1
        try:
            yield Place(self._rounds)
        finally:
            self.inside -= 1
            self._admit()

    def narrow(self, place: Place) -> None:
        """The request in `place` was too much. Of all that were inside together, the first one narrows the gate."""
        if place.round == self._rounds:
            self._rounds += 1
            self.limit = max(1, self.limit // 2)

    def widen(self) -> None:
        """An answer came through."""
        self.limit = min(self._most, self.limit + 1)
        self._admit()

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # Let in and cancelled in the same moment.
                self.inside -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting and self.inside < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.inside += 1
                turn.set_result(None)
