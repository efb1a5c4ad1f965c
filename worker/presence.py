"""Says that this worker lives, for as long as it can be of use."""

from collections.abc import Callable

import structlog
from redis import Redis

from core.queue.presence import WorkerPresence, announce_presence
from core.settings import Settings
from worker.reaper import Reaper

log = structlog.get_logger(__name__)


class PresenceKeeper:
    """Announces what `describe` returns. `reaper` knows when the database last answered this process."""

    def __init__(
        self, redis: Redis, reaper: Reaper, describe: Callable[[], WorkerPresence], settings: Settings
    ) -> None:
        self._redis = redis
        self._reaper = reaper
        self._describe = describe
        self._longest_silence_s = 3 * settings.lease_s

    def announce(self) -> None:
        """One announcement. None while the database is silent: where connections hang, only a restart helps, and the
        health check that looks for this presence brings it about.

        Raises:
            RedisError: Redis is away.
        """
        silent_s = self._reaper.silent_s()
        if silent_s > self._longest_silence_s:
            log.error("database_silent", seconds=round(silent_s))
            return
        announce_presence(self._redis, self._describe())
