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
    """One claimed turn. `request_id` is what the engine knows it by."""

    turn_id: str
    attempt: int
    stop: Stop | None = None

    @property
    def request_id(self) -> str:
        """A new id for each attempt: an old attempt still in the engine is never mistaken for the new one."""
        return f"{self.turn_id}:{self.attempt}"


class HeldTurns:
    """Thread-safe register. `cancel_request` is the engine's `cancel`."""

    def __init__(self, cancel_request: Callable[[str], object]) -> None:
        self._cancel_request = cancel_request
        self._lock = threading.Lock()
        self._turns: dict[str, HeldTurn] = {}
        self._empty = threading.Event()
        self._empty.set()

    def add(self, turn_id: str, attempt: int) -> HeldTurn:
        """Register a claimed turn."""
        held = HeldTurn(turn_id, attempt)
        with self._lock:
            self._turns[turn_id] = held
            self._empty.clear()
        return held

    def remove(self, held: HeldTurn) -> None:
        """The turn is finished with, one way or another."""
        with self._lock:
            if self._turns.get(held.turn_id) is held:
                del self._turns[held.turn_id]
            if not self._turns:
                self._empty.set()

    def stop(self, turn_id: str, reason: Stop) -> None:
        """Ask a held turn to end; the first reason stays. Unknown ids are somebody else's and ignored."""
        with self._lock:
            held = self._turns.get(turn_id)
            if held is None or held.stop is not None:
                return
            held.stop = reason
        # Before the request reached the engine this does nothing; the answering thread checks `stop` itself.
        self._cancel_request(held.request_id)

    def stop_all(self, reason: Stop) -> None:
        """Ask every held turn to end."""
        for turn_id in list(self.attempts()):
            self.stop(turn_id, reason)

    def attempts(self) -> dict[str, int]:
        """Turn id → attempt of what is held now."""
        with self._lock:
            return {turn.turn_id: turn.attempt for turn in self._turns.values()}

    def wait_until_empty(self, timeout_s: float) -> bool:
        """Whether nothing is held any more within `timeout_s` seconds."""
        return self._empty.wait(timeout_s)
