"""The fake's own time: it runs as the machine's does and can be put forward, so that five minutes pass at once."""

import time


class Clock:
    """Seconds since 1970. `advance` puts it forward; it never goes back."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._last = 0

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Puts the clock forward."""
        if seconds < 0:
            raise ValueError("the clock runs forward only")
        self._ahead += seconds

    def stamp(self) -> str:
        """A new `ts`, such as 1700000000.000100: later than every one before, in its text too."""
        self._last = max(self._last + 1, int(self.now() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"
