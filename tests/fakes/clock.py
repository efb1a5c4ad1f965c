"""A fake's own time: it can be put forward, so that five minutes pass at once."""

import time


class Clock:
    """Seconds since 1970. `advance` puts it forward; it never goes back.

    Args:
        still: it stands unless it is put forward; else it runs as the machine's does.
    """

    def __init__(self, *, still: bool = False) -> None:
        self._ahead = 0.0
        self._began = time.time() if still else None

    def now(self) -> float:
        """Seconds since 1970."""
        return (time.time() if self._began is None else self._began) + self._ahead

    def advance(self, seconds: float) -> None:
        """Puts the clock forward."""
        if seconds < 0:
            raise ValueError("the clock runs forward only")
        self._ahead += seconds
