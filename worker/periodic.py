"""A thread that does one thing every few seconds for as long as the worker lives."""

from collections.abc import Callable

import structlog
from redis.exceptions import RedisError

from core.errors import GlimtError
from worker.part import Part

log = structlog.get_logger(__name__)


class Periodic(Part):
    """Calls `action` at once and then every `period_s` seconds. An action that raises is logged and called again."""

    def __init__(self, name: str, period_s: float, action: Callable[[], object]) -> None:
        super().__init__(name)
        self._name = name
        self._period_s = period_s
        self._action = action

    def run(self) -> None:
        while True:
            try:
                self._action()
            except (GlimtError, RedisError, OSError) as error:
                # SQL or Redis is away; the next round finds out whether it is back.
                log.warning("periodic_failed", task=self._name, error=type(error).__name__)
            except Exception:
                log.exception("periodic_error", task=self._name)
            if self.stopped.wait(self._period_s):
                return
