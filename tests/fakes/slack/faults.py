"""What goes wrong on order: by method, so many times, then no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.fakes.faults import Orders
from tests.fakes.gate import Gate


@dataclass
class Fault:
    """What happens to the next calls of a method.

    limited: 429 with Retry-After; broken: HTTP `status`; refused: `code`; lost: the call is done, but its answer never
    arrives; held: it waits for `release` before it is done.
    """

    kind: Literal["limited", "broken", "refused", "lost", "held"]
    times: int
    retry_after: int = 1
    status: int = 503
    code: str = ""
    gate: Gate | None = None


class Faults(Orders[Fault]):
    """Faults by method, in the order in which they were ordered."""

    def limit(self, method: str, times: int = 1, retry_after: int = 1) -> None:
        """429 and Retry-After, in seconds."""
        self.add(method, Fault("limited", times, retry_after=retry_after))

    def break_(self, method: str, times: int = 1, status: int = 503) -> None:
        """An answer of 500 or more, without JSON. Nothing was done."""
        self.add(method, Fault("broken", times, status=status))

    def refuse(self, method: str, code: str, times: int = 1) -> None:
        """`{"ok": false, "error": code}`. Nothing was done."""
        self.add(method, Fault("refused", times, code=code))

    def lose_answer(self, method: str, times: int = 1) -> None:
        """It is done, and the connection ends before the answer."""
        self.add(method, Fault("lost", times))

    def hold(self, method: str, times: int = 1) -> Gate:
        """Not done before the gate is opened."""
        gate = Gate(self.loop)
        self.add(method, Fault("held", times, gate=gate))
        return gate

    def next(self, method: str) -> Fault | None:
        """What befalls this call."""
        faults = self.by_method.get(method)
        while faults:
            if faults[0].times > 0:
                faults[0].times -= 1
                return faults[0]
            faults.pop(0)
        return None
