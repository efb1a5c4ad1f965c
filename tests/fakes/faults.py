"""Orders of what shall go wrong, by method."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from tests.fakes.gate import Gate


class Ordered(Protocol):
    """An order; with a gate, calls wait for it."""

    gate: Gate | None


F = TypeVar("F", bound=Ordered)


@dataclass
class Orders(Generic[F]):
    """All that is still to go wrong, in the order in which it was ordered. `loop` is the fake's."""

    loop: asyncio.AbstractEventLoop
    by_method: dict[str, list[F]] = field(default_factory=dict)

    def add(self, method: str, fault: F) -> None:
        """One more."""
        self.by_method.setdefault(method, []).append(fault)

    def clear(self) -> None:
        """Nothing goes wrong any more; what waits goes on."""
        for faults in self.by_method.values():
            for fault in faults:
                if fault.gate is not None:
                    fault.gate.open()
        self.by_method.clear()
