"""Notes in SQL that answers have reached their readers."""

import asyncio

import structlog

from core.errors import GlimtError
from core.store.database import Store
from core.values import utc_now

log = structlog.get_logger(__name__)


class Receipts:
    """Collects the turns that were read and marks them together, one transaction after the other.

    Nobody waits for it: what a crash or a lost database leaves unmarked is marked when the history is shown again.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, turn_id: str) -> None:
        """The end of this turn was written to its reader."""
        self._read.add(turn_id)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._mark_all(), name="receipts")

    async def close(self) -> None:
        """Mark what is left."""
        if self._task is not None:
            await self._task

    async def _mark_all(self) -> None:
        while self._read:
            batch, self._read = self._read, set()
            try:
                await asyncio.to_thread(self._mark, batch)
            except GlimtError as error:
                log.warning("receipts_lost", turns=len(batch), error=error.code)

    def _mark(self, turn_ids: set[str]) -> None:
        now = utc_now()
        with self._store.write() as repositories:
            repositories.deliveries.mark_read(turn_ids, now)
