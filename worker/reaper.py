"""The reaper: takes turns from workers that have stopped prolonging their leases."""

import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from redis import Redis

from core.errors import StoreError
from core.queue.dispatch import BATCH
from core.queue.streams import write_end
from core.settings import Settings
from core.store.database import Store
from core.store.models import Turn
from core.values import FINAL_STATES, utc_now
from worker.backoff import back_off

log = structlog.get_logger(__name__)


class Reaper:
    """Reaps expired leases, unless it has reason to believe that their owners could not prolong them.

    While the database is away no heartbeat arrives, and when it is back every lease of every healthy worker looks
    expired. So after a time in which the reaper itself could not look (the database was away, this process was frozen
    or has just started) it lets two heartbeats pass first.

    `clock` gives seconds that only ever grow.
    """

    def __init__(
        self, store: Store, redis: Redis, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._redis = redis
        self._settings = settings
        self._clock = clock
        self._blind = True
        self._looked_at = clock()
        self._waits_until = 0.0

    def silent_s(self) -> float:
        """Seconds since the database last answered."""
        return self._clock() - self._looked_at

    def reap(self) -> None:
        """One round.

        Raises:
            StoreError: the database is away; call again later.
        """
        try:
            with self._store.read() as repositories:
                expired = repositories.turns.expired(utc_now(), BATCH)
            if self._sees():
                for turn in expired:
                    self._take(turn)
        except StoreError:
            self._blind = True
            raise

    def _sees(self) -> bool:
        """Note that the database has just answered; whether the owners have had their time since it was away."""
        if self._blind or self.silent_s() > self._settings.lease_s / 2 + self._settings.sweep_s:
            self._waits_until = self._clock() + 2 * self._settings.heartbeat_s
        self._blind = False
        self._looked_at = self._clock()
        return self._looked_at >= self._waits_until

    def _take(self, turn: Turn) -> None:
        now = utc_now()
        not_before = now + timedelta(seconds=back_off(turn.failures, self._settings.retry_base_s))
        with self._store.write() as repositories:
            state = repositories.turns.reap(
                turn.id, turn.attempt, max_failures=self._settings.max_failures, now=now, not_before=not_before
            )
        if state is None:
            return
        log.warning("lease_expired", turn=turn.id, attempt=turn.attempt, owner=turn.lease_owner, now=state)
        if state in FINAL_STATES:
            write_end(self._redis, turn.id, turn.attempt, self._settings.stream_ttl_s)
