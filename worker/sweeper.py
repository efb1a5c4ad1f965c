"""The sweeper: nothing that SQL knows of stays stuck. Several may sweep at once; guarded updates sort it out."""

import secrets

import structlog
from redis import Redis

from core.queue.celery_app import QUEUE
from core.queue.dispatch import BATCH, Dispatcher
from core.store.database import Store
from worker.reaper import Reaper

log = structlog.get_logger(__name__)

# Set once in every life of Redis. Where it is missing, Redis lost everything, our messages too.
MARKER = "glimt:alive"


class Sweeper:
    """Recovers expired leases, notices a wiped Redis, announces what was never taken."""

    def __init__(self, store: Store, redis: Redis, dispatcher: Dispatcher, reaper: Reaper) -> None:
        self._store = store
        self._redis = redis
        self._dispatcher = dispatcher
        self._reaper = reaper

    def sweep(self) -> None:
        """One round.

        Raises:
            StoreError, RedisError: one of them is away; call again later.
        """
        self._reaper.reap()
        # From here on Redis is needed; without it there is nobody to announce to.
        if self._redis.set(MARKER, secrets.token_hex(8), nx=True):
            with self._store.write() as repositories:
                freed = repositories.turns.forget_dispatches()
            if freed:
                log.warning("redis_was_wiped", announced_again=freed)
        # A backlog of hints is as good as more hints; this bounds what Redis holds.
        room = BATCH - self._redis.llen(QUEUE)
        if room > 0:
            self._dispatcher.announce(limit=room)
