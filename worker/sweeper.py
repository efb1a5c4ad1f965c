"""The sweeper: nothing that SQL knows of stays stuck. Several may sweep at once; guarded updates sort it out."""

import secrets
from datetime import timedelta

import structlog
from redis import Redis

from core.queue.celery_app import QUEUE
from core.queue.dispatch import BATCH, Dispatcher
from core.queue.streams import write_end
from core.settings import Settings
from core.store.database import Store
from core.values import FINAL_STATES, utc_now
from worker.backoff import back_off

log = structlog.get_logger(__name__)

# Set once in every life of Redis. Where it is missing, Redis lost everything, our messages too.
MARKER = "glimt:alive"


class Sweeper:
    """Recovers expired leases, notices a wiped Redis, announces what was never taken."""

    def __init__(self, store: Store, redis: Redis, dispatcher: Dispatcher, settings: Settings) -> None:
        self._store = store
        self._redis = redis
        self._dispatcher = dispatcher
        self._settings = settings

    def sweep(self) -> None:
        """One round.

        Raises:
            StoreError, RedisError: one of them is away; call again later.
        """
        self._reap()
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

    def _reap(self) -> None:
        now = utc_now()
        with self._store.read() as repositories:
            expired = repositories.turns.expired(now, BATCH)
        for turn in expired:
            not_before = now + timedelta(seconds=back_off(turn.failures, self._settings.retry_base_s))
            with self._store.write() as repositories:
                state = repositories.turns.reap(
                    turn.id, turn.attempt, max_failures=self._settings.max_failures, now=now, not_before=not_before
                )
            if state is None:
                continue
            log.warning("lease_expired", turn=turn.id, attempt=turn.attempt, owner=turn.lease_owner, now=state)
            if state in FINAL_STATES:
                write_end(self._redis, turn.id, turn.attempt, self._settings.stream_ttl_s)
