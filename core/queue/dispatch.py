"""Announcing ready turns to the workers.

A message is only a hint: it may be lost (the sweeper announces again) or doubled (the claim in SQL lets one through).
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from core.queue.celery_app import TASK_ANSWER
from core.settings import Settings
from core.store.database import Store
from core.values import utc_now

log = structlog.get_logger(__name__)

BATCH = 500


class Dispatcher:
    """Picks the turns that may run now, fairly between people, and sends their ids to Celery."""

    def __init__(self, store: Store, celery: Celery, settings: Settings) -> None:
        self._store = store
        self._celery = celery
        self._per_person = settings.parallel_per_person
        self._again = timedelta(seconds=settings.redispatch_s)

    def announce(self, people: Collection[str] = (), conversations: Collection[str] = (), limit: int = BATCH) -> int:
        """Announce at most `limit` ready turns: of these people and conversations, or of everybody if both are empty.

        Returns how many ids were sent. Redis being away raises nothing: the turns stay ready in SQL, unmarked.
        """
        now = utc_now()
        with self._store.read() as repositories:
            found = repositories.turns.dispatchable(
                now, limit, self._per_person, people=people, conversations=conversations
            )
        if not found:
            return 0
        with self._store.write() as repositories:
            won = repositories.turns.mark_dispatched(found, now, now + self._again)
        return self.send(won)

    def send(self, turn_ids: Sequence[str]) -> int:
        """Send these ids to Celery. Returns how many got through; the others are unmarked in SQL."""
        for sent, turn_id in enumerate(turn_ids):
            try:
                self._celery.send_task(TASK_ANSWER, args=(turn_id,), ignore_result=True, retry=False)
            except (OperationalError, RedisError, OSError) as error:
                log.warning("announce_failed", error=type(error).__name__, unsent=len(turn_ids) - sent)
                with self._store.write() as repositories:
                    repositories.turns.undispatch(turn_ids[sent:])
                return sent
        return len(turn_ids)
