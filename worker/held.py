"""The turns that this worker process holds, and who tells them to stop."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Stop(Enum):
    """Why a running turn must end early."""

    CANCELLED = "cancelled"  # somebody pressed Stop
    LOST = "lost"  # the lease is somebody else's now
    GIVE_BACK = "give_back"  # this worker shuts down


@dataclass(slots=True)
class HeldTurn:
    """One claimed turn. `request_id` is what the engine knows it by.

    `on_stop` is called, from any thread, after `stop` was set. Whoever sets it looks at `stop` afterwards.
    """

    turn_id: str
    attempt: int
    stop: Stop | None = None
    on_stop: Callable[[], object] | None = None

    @property
    def request_id(self) -> str:
        """A new id for each attempt: an old attempt still in the engine is never mistaken for the new one."""
        return f"{self.turn_id}:{self.attempt}"


class HeldTurns:
    """Thread-safe register. `cancel_request` is the engine's `cancel`.

    A turn may be in it twice: an attempt that lost its lease ends at its own pace, while this worker has claimed the
    next one already. So whoever stops something says which attempt.
    """

    def __init__(self, cancel_request: Callable[[str], object]) -> None:
        self._cancel_request = cancel_request
        self._lock = threading.Lock()
        self._turns: dict[tuple[str, int], HeldTurn] = {}
        self._empty = threading.Event()
        self._empty.set()

    def add(self, turn_id: str, attempt: int) -> HeldTurn:
        """Register a claimed turn."""
        held = HeldTurn(turn_id, attempt)
        with self._lock:
            self._turns[turn_id, attempt] = held
            self._empty.clear()
        return held

    def remove(self, held: HeldTurn) -> None:
        """The turn is finished with, one way or another."""
        with self._lock:
            self._turns.pop((held.turn_id, held.attempt), None)
            if not self._turns:
                self._empty.set()

    def stop(self, turn_id: str, attempt: int, reason: Stop) -> None:
        """Ask a held turn to end; the first reason stays. Unknown attempts are over, or somebody else's: ignored."""
        with self._lock:
            held = self._turns.get((turn_id, attempt))
            if held is None or held.stop is not None:
                return
            held.stop = reason
        if (on_stop := held.on_stop) is not None:
            on_stop()
        # Before the request reached the engine this does nothing; the answering thread checks `stop` itself.
        self._cancel_request(held.request_id)

    def stop_all(self, reason: Stop) -> None:
        """Ask every held turn to end."""
        for turn_id, attempt in self.attempts():
            self.stop(turn_id, attempt, reason)

    def attempts(self) -> set[tuple[str, int]]:
        """(turn id, attempt) of everything that is held now."""
        with self._lock:
            return set(self._turns)

    def wait_until_empty(self, timeout_s: float) -> bool:
        """Whether nothing is held any more within `timeout_s` seconds."""
        return self._empty.wait(timeout_s)
