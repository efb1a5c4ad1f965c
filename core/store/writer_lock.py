"""Which thread of this process writes next."""

import threading
from collections import deque


class WriterLock:
    """A lock that is handed on in the order of arrival, to whoever is urgent first.

    Of two urgent ones in a row the second waits for one that is not, if there is any, so that nobody starves.
    """

    def __init__(self) -> None:
        self._state = threading.Lock()
        self._held = False
        self._urgent: deque[threading.Lock] = deque()
        self._others: deque[threading.Lock] = deque()
        self._last_was_urgent = False

    def acquire(self, timeout_s: float, *, urgent: bool = False) -> bool:
        """Wait for it; False: not within `timeout_s`."""
        queue = self._urgent if urgent else self._others
        with self._state:
            if not self._held:
                self._held, self._last_was_urgent = True, urgent
                return True
            turn = threading.Lock()
            turn.acquire()
            queue.append(turn)
        if turn.acquire(timeout=timeout_s):
            return True
        with self._state:
            if turn in queue:
                queue.remove(turn)
                return False
        # It was handed to us at the last moment.
        return True

    def release(self) -> None:
        """Hand it on."""
        with self._state:
            urgent = bool(self._urgent) and not (self._last_was_urgent and self._others)
            queue = self._urgent if urgent else self._others
            if queue:
                self._last_was_urgent = urgent
                queue.popleft().release()
            else:
                self._held = False
