"""Slows down whoever tries keys and passwords: a bucket of wrong tries for each address (or name)."""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from time import monotonic

BURST = 10
SECONDS_A_TRY = 6.0
ADDRESSES = 10_000


class Throttle:
    """Allows `burst` wrong tries at once, then one in `seconds_a_try`. Remembers the latest `ADDRESSES` addresses."""

    def __init__(
        self, burst: int = BURST, seconds_a_try: float = SECONDS_A_TRY, clock: Callable[[], float] = monotonic
    ) -> None:
        self._burst = burst
        self._seconds_a_try = seconds_a_try
        self._clock = clock
        # By network: (tries used up, when that was counted).
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def closed(self, address: str) -> bool:
        """Whether this address has no try left now."""
        return self._level(_network(address)) > self._burst - 1

    def wrong(self, address: str) -> None:
        """Count one wrong try."""
        network = _network(address)
        self._used[network] = (self._level(network) + 1, self._clock())
        self._used.move_to_end(network)
        if len(self._used) > ADDRESSES:
            self._used.popitem(last=False)

    def right(self, address: str) -> None:
        """Take back what was counted before the try was looked at."""
        network = _network(address)
        if network in self._used:
            self._used[network] = (max(0.0, self._level(network) - 1), self._clock())

    def _level(self, network: str) -> float:
        used, since = self._used.get(network, (0.0, 0.0))
        return max(0.0, used - (self._clock() - since) / self._seconds_a_try)


def _network(address: str) -> str:
    """An IPv6 customer has a whole /64, so that is counted as one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> 64 << 64))
