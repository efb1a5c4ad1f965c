"""Slack's time, which also numbers its messages."""

from tests.fakes.clock import Clock


class SlackClock(Clock):
    """See `Clock`."""

    def __init__(self) -> None:
        super().__init__()
        self._last = 0

    def stamp(self) -> str:
        """A new `ts`, such as 1700000000.000100: later than every one before, in its text too."""
        self._last = max(self._last + 1, int(self.now() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"
