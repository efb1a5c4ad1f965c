"""What goes wrong on order: by method, so many times, then no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tests.fakes.faults import Orders
from tests.fakes.gate import Gate
from tests.fakes.telegram.refusal import Refusal, flood


@dataclass
class Fault:
    """What happens to the calls of a method after the first `skip`.

    refused: `refusal`; broken: HTTP `status` without JSON; dropped: the connection ends, and nothing was done; lost: it
    is done, but its answer never arrives; held: it waits for the gate before it is done; late: it is done, and its
    answer waits for the gate. `chat`: in this chat only.
    """

    kind: Literal["refused", "broken", "dropped", "lost", "held", "late"]
    times: int
    skip: int = 0
    chat: int | None = None
    refusal: Refusal | None = None
    status: int = 502
    gate: Gate | None = None


class Faults(Orders[Fault]):
    """Faults by method, in the order in which they were ordered. Every order takes `times` (how many calls), `skip`
    (how many calls pass before) and `chat` (an id; None for any). The method "*" is any but getUpdates."""

    def add(self, method: str, fault: Fault) -> None:
        """One more, whatever the case of the method's name."""
        super().add(method.lower(), fault)

    def limit(self, method: str, retry_after: int = 1, times: int = 1, **where: Any) -> None:
        """429 with parameters.retry_after."""
        self.add(method, Fault("refused", times, refusal=flood(retry_after), **where))

    def refuse(self, method: str, why: str, code: int = 400, times: int = 1, **where: Any) -> None:
        """A refusal in Telegram's form: `why` without "Bad Request: ". Nothing was done."""
        self.add(method, Fault("refused", times, refusal=Refusal(why, code), **where))

    def break_(self, method: str, status: int = 502, times: int = 1, **where: Any) -> None:
        """An answer of 500 or more, without JSON. Nothing was done."""
        self.add(method, Fault("broken", times, status=status, **where))

    def drop(self, method: str, times: int = 1, **where: Any) -> None:
        """The connection ends before anything is done."""
        self.add(method, Fault("dropped", times, **where))

    def lose_answer(self, method: str, times: int = 1, **where: Any) -> None:
        """It is done, and the connection ends before the answer."""
        self.add(method, Fault("lost", times, **where))

    def hold(self, method: str, times: int = 1, **where: Any) -> Gate:
        """Not done before the gate is opened."""
        gate = Gate(self.loop)
        self.add(method, Fault("held", times, gate=gate, **where))
        return gate

    def hold_answer(self, method: str, times: int = 1, **where: Any) -> Gate:
        """Done at once, and answered when the gate is opened."""
        gate = Gate(self.loop)
        self.add(method, Fault("late", times, gate=gate, **where))
        return gate

    def next(self, method: str, chat: Any) -> Fault | None:
        """What befalls this call."""
        for name in (method.lower(), "*"):
            if name == "*" and method.lower() == "getupdates":
                continue
            for fault in self.by_method.get(name, []):
                if fault.times <= 0 or (fault.chat is not None and fault.chat != chat):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None
