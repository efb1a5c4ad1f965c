"""How much other work the machine did meanwhile: what was measured beside it is worth little."""

import os
import time
from pathlib import Path

# Of the cores. Sides that wait for two threads lose more than this share of their speed.
DISTURBED = 0.1


class Others:
    """Watches from its making on. Ask when all our processes have ended: only then is their time known."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._busy, self._own = _busy_s(), _own_s()

    def cores(self) -> float | None:
        """Cores that others kept busy on average; None where the system does not tell (it is not Linux)."""
        if self._busy is None or (busy := _busy_s()) is None:
            return None
        others = (busy - self._busy) - (_own_s() - self._own)
        return max(0.0, others / (time.monotonic() - self._began))


def _own_s() -> float:
    """Processor time of this process and of the children that it waited for, with theirs."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _busy_s() -> float | None:
    try:
        first = Path("/proc/stat").read_text().splitlines()[0]
    except OSError:
        return None
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, first.split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
