"""Several engines that compute with the same cores."""

import threading
from collections import deque
from collections.abc import Iterator
from types import TracebackType

from core.inference.port import EngineStats
from core.inference.stepper import Outcome, Sequence, Stepper


class FairLock:
    """A lock that goes to whoever has waited longest, so that nobody who asks again at once keeps the others out."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = False
        # One closed gate for each that waits; opening it hands the lock over.
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._mutex:
            if not self._held:
                self._held = True
                return
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
        gate.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False


class SharedStepper:
    """Steps of `stepper`, of which only one at a time runs among all that have the same `lock`.

    Each inference thread has compute threads of its own. On the same cores they would wait for each other in the middle
    of every operation, which costs several times what taking turns does.
    """

    def __init__(self, stepper: Stepper, lock: FairLock) -> None:
        self._stepper = stepper
        self._lock = lock

    def add(self, sequence: Sequence) -> None:
        self._stepper.add(sequence)

    def remove(self, sequence: Sequence) -> None:
        self._stepper.remove(sequence)

    def step(self) -> Iterator[Outcome]:
        with self._lock:
            yield from self._stepper.step()

    def stats(self) -> EngineStats:
        return self._stepper.stats()
