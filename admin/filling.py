"""Filling the review queues while the console runs.

Here and not in the workers: answering must not wait for reviewing, and where no console runs nobody reviews. What
happened meanwhile is made up for, since a queue knows up to when its rule was applied.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from core.errors import StoreError
from core.store.database import Store
from core.store.reviewing.filling import enabled_queues, fill_queue
from core.values import utc_now

log = structlog.get_logger(__name__)

EVERY_S = 15.0


@asynccontextmanager
async def kept_full(store: Store, *, every_s: float = EVERY_S) -> AsyncIterator[None]:
    """Until the end of the block, apply the queues' rules again and again."""
    task = asyncio.create_task(_keep_full(store, every_s))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _keep_full(store: Store, every_s: float) -> None:
    while True:
        try:
            await fill_all(store)
        except StoreError as error:
            log.warning("queues_not_filled", error=str(error))
        await asyncio.sleep(every_s)


async def fill_all(store: Store) -> int:
    """Bring every queue up to date; how many items were added.

    Raises:
        StoreError: the database is away; the rest is for the next time.
    """
    total = 0
    for queue_id in await asyncio.to_thread(enabled_queues, store):
        try:
            bites = fill_queue(store, queue_id, utc_now())
            # Bite by bite, so that the console can stop between two.
            while (added := await asyncio.to_thread(next, bites, None)) is not None:
                total += added
        except StoreError:
            raise
        except Exception:
            # A rule that cannot be applied must not keep the others from it, nor go unnoticed.
            log.exception("queue_not_filled", queue=queue_id)
    if total:
        log.info("queues_filled", items=total)
    return total
