"""A thread that does one thing every few seconds for as long as the worker lives."""

import threading
from collections.abc import Callable

import structlog
from redis.exceptions import RedisError

from core.errors import GlimtError

log = structlog.get_logger(__name__)

# How long the end of the process waits for each of its threads: what hangs must not keep it from ending.
CLOSE_S = 5.0


class Periodic:
    """Calls `action` at once and then every `period_s` seconds. An action that raises is logged and called again."""

    def __init__(self, name: str, period_s: float, action: Callable[[], None]) -> None:
        self._name = name
        self._period_s = period_s
        self._action = action
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask to end after the action that runs now."""
        self._stopped.set()

    def close(self) -> None:
        """Stop, and wait for the end, but not longer than `CLOSE_S`."""
        self.stop()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while True:
            try:
                self._action()
            except (GlimtError, RedisError, OSError) as error:
                # SQL or Redis is away; the next round finds out whether it is back.
                log.warning("periodic_failed", task=self._name, error=type(error).__name__)
            except Exception:
                log.exception("periodic_error", task=self._name)
            if self._stopped.wait(self._period_s):
                return
