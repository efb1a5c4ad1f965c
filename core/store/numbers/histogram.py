"""Histograms of durations, small enough to keep and to add up, and percentiles of them.

Bins grow by an eighth of an octave, so a percentile is at most 4.4 % away from the duration that has its rank.
"""

import math
from collections.abc import Mapping

SMALLEST_S = 0.001
LARGEST_S = 30 * 86_400.0
GROWTH = 2 ** (1 / 8)
# The most that a percentile is off, as a part of it, between the smallest and the largest duration.
ERROR = (GROWTH - 1) / (GROWTH + 1)
_LOG = math.log(GROWTH)
_LAST = math.ceil(math.log(LARGEST_S / SMALLEST_S) / _LOG)


class Histogram:
    """How many durations are in each bin; bin `n` ends at `SMALLEST_S * GROWTH ** n` seconds."""

    __slots__ = ("counts",)

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: dict[int, int] = dict(counts or {})

    @classmethod
    def read(cls, stored: Mapping[str, int]) -> "Histogram":
        """As it stands in a column."""
        return cls({int(n): count for n, count in stored.items()})

    def stored(self) -> dict[str, int]:
        """As it stands in a column."""
        return {str(n): self.counts[n] for n in sorted(self.counts)}

    def add(self, seconds: float) -> None:
        """One more duration; what is below the smallest or beyond the largest counts as these."""
        n = bin_of(seconds)
        self.counts[n] = self.counts.get(n, 0) + 1

    def merge(self, other: "Histogram") -> None:
        """All of another one."""
        for n, count in other.counts.items():
            self.counts[n] = self.counts.get(n, 0) + count

    def percentile(self, part: float) -> float | None:
        """Seconds that `part` (0 to 1) of the durations do not exceed, by nearest rank; None: there are none."""
        total = sum(self.counts.values())
        if not total:
            return None
        rank, seen = max(1, math.ceil(part * total - 1e-9)), 0
        for n in sorted(self.counts):
            seen += self.counts[n]
            if seen >= rank:
                return _middle(n)
        raise AssertionError("a rank beyond all durations")


def bin_of(seconds: float) -> int:
    """Number of the bin that a duration is in."""
    if seconds <= SMALLEST_S:
        return 0
    return min(_LAST, math.ceil(math.log(seconds / SMALLEST_S) / _LOG - 1e-9))


def exact_percentile(ordered: list[float], part: float) -> float | None:
    """The same of durations themselves, which are in order."""
    return ordered[max(1, math.ceil(part * len(ordered) - 1e-9)) - 1] if ordered else None


def _middle(n: int) -> float:
    # As far from one end of the bin as from the other, in parts of it.
    return SMALLEST_S if n == 0 else float(SMALLEST_S * GROWTH**n * 2 / (GROWTH + 1))
