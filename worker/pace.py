"""How fast this worker writes, and how much memory it takes: for its presence."""

import os
import time
from collections.abc import Callable
from pathlib import Path

_STATM = Path("/proc/self/statm")


class Pace:
    """Tokens a second between two looks at a number that grows. `clock` gives seconds that only ever grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: tuple[float, int] | None = None

    def look(self, tokens: int) -> float:
        """Since the last look; 0 at the first."""
        now, last = self._clock(), self._last
        self._last = (now, tokens)
        if last is None or now <= last[0]:
            return 0.0
        return max(0, tokens - last[1]) / (now - last[0])


def resident_bytes(statm: Path = _STATM) -> int:
    """Memory of the machine that this process takes now; 0 where the system does not say so in Linux' way."""
    try:
        return int(statm.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
