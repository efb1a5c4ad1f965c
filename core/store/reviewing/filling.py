"""Filling review queues by their rules: a little at a time, and as often as one likes.

A queue remembers up to when its rule was applied. The last `OVERLAP` is looked at again each time, because what is
committed late has an earlier time than what was seen already; an item that is there already is left alone. So it does
not matter who fills, or how many do.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.store.database import Store
from core.store.models import Turn
from core.store.review_tables import QueueItem, ReviewQueue
from core.store.reviewing.rules import BITE, take_bite
from core.store.upsert import insert_all_if_new
from core.values import new_id

# Longer than any transaction lasts and than two clocks differ.
OVERLAP = timedelta(minutes=2)
# A queue with so many open items waits until some are done; nobody works through more, and counting them stays cheap.
MOST_OPEN = 10_000
_NOTED_EVERY = 10


def enabled_queues(store: Store) -> list[str]:
    """Ids of the queues that are to be filled. Synchronous.

    Raises:
        StoreError: the database is away.
    """
    with store.read() as repositories:
        enabled = select(ReviewQueue.id).where(ReviewQueue.enabled).order_by(ReviewQueue.id)
        return list(repositories.session.scalars(enabled))


def fill_queue(store: Store, queue_id: str, now: datetime, *, bite: int = BITE, most: int = MOST_OPEN) -> Iterator[int]:
    """Bring one queue up to date, bite by bite: after each, how many items were added. Synchronous.

    It ends early where somebody else fills the queue meanwhile, or its rule is changed; the next time goes on there.
    A queue with `most` open items is left as it is.

    Raises:
        StoreError: the database is away.
    """
    after: datetime | None = None
    noted: datetime | None = None
    for n in count(1):
        with store.read() as repositories:
            session = repositories.session
            queue = session.get(ReviewQueue, queue_id)
            if queue is None or not queue.enabled or _is_full(session, queue_id, most):
                return
            if noted is not None and queue.filled_until != noted:
                return
            # Within this call what was just seen is not looked at again.
            found = take_bite(session, queue, after or queue.filled_until, bite)
            there = set(
                session.scalars(
                    select(QueueItem.turn_id).where(
                        QueueItem.queue_id == queue_id, QueueItem.turn_id.in_([turn_id for turn_id, _ in found.found])
                    )
                )
            )
        new = {turn_id: why for turn_id, why in found.found if turn_id not in there}
        filled = max(queue.filled_until, min(found.until or now, now - OVERLAP))
        noted = queue.filled_until
        added = 0
        # Where nothing was found, how far it has come is noted now and then.
        if new or (filled > noted and (found.until is None or n % _NOTED_EVERY == 0)):
            kept, noted = _keep(store, queue, new, filled, now), filled
            if kept is None:
                return
            added = kept
        yield added
        if found.until is None:
            return
        after = found.until


def _is_full(session: Session, queue_id: str, most: int) -> bool:
    waiting = select(QueueItem.id).where(QueueItem.queue_id == queue_id, QueueItem.done_at.is_(None)).limit(most)
    return (session.scalar(select(func.count()).select_from(waiting.subquery())) or 0) >= most


def _keep(store: Store, queue: ReviewQueue, new: dict[str, str], filled: datetime, now: datetime) -> int | None:
    """Add items; None: somebody else filled meanwhile, or the rule is another one now, so nothing was added."""
    with store.write() as repositories:
        session = repositories.session
        same = (ReviewQueue.id == queue.id, ReviewQueue.filled_until == queue.filled_until, ReviewQueue.enabled)
        moved = update(ReviewQueue).where(*same).values(filled_until=filled).returning(ReviewQueue.id)
        if session.execute(moved, execution_options={"synchronize_session": False}).first() is None:
            return None
        # Those that were not erased meanwhile, nor can be before this commits.
        left = (
            select(Turn.id).where(Turn.id.in_(list(new))).order_by(Turn.id).with_for_update(read=True, key_share=True)
        )
        kept = set(session.scalars(left))
        # In the order in which they are worked through; ids of one millisecond have none by themselves.
        ids = sorted(new_id() for _ in kept)
        found = [(turn_id, why) for turn_id, why in new.items() if turn_id in kept]
        rows = [
            {"id": item_id, "queue_id": queue.id, "turn_id": turn_id, "why": why, "added_at": now}
            for item_id, (turn_id, why) in zip(ids, found, strict=True)
        ]
        return insert_all_if_new(session, QueueItem, rows, ("queue_id", "turn_id")) if rows else 0
