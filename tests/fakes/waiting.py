"""Which rules were broken, and how a test waits for the next thing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Waiting:
    """The lock that guards all of a fake's state, and the violations."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self.violations: list[str] = []

    def changed(self) -> None:
        """Wakes those who wait."""
        with self._changed:
            self._changed.notify_all()

    def recently(self) -> list[str]:
        """What happened last, for the message of a wait that was in vain."""
        return []

    def wait_for(self, predicate: Callable[[], T], timeout: float = 10) -> T:
        """What `predicate` gives as soon as it is true. It is asked after everything that happens.

        Raises:
            TimeoutError: not within `timeout` seconds; the message says what happened last.
        """
        with self._changed:
            found = self._changed.wait_for(predicate, timeout)
        if not found:
            raise TimeoutError(
                f"not in {timeout} s; the last calls were {self.recently()}, violations {self.violations}"
            )
        return found

    async def until(self, predicate: Callable[[], T], timeout: float = 10) -> T:
        """`wait_for` in a loop of asyncio's."""
        return await asyncio.to_thread(self.wait_for, predicate, timeout)

    def violation(self, what: str) -> None:
        """Writes down a broken rule."""
        with self._changed:
            self.violations.append(what)
            self._changed.notify_all()

    def take_violations(self) -> list[str]:
        """Those so far, which are thereby forgiven."""
        with self.lock:
            taken, self.violations = self.violations, []
            return taken

    def check(self) -> None:
        """Raises:
        AssertionError: the app broke a rule of the platform's.
        """
        assert not self.violations, "Rules were broken:\n" + "\n".join(self.violations)
