"""The thread that announces: collects hints from many requests and serves them in one go."""

import threading
import time
from collections import deque

import structlog

from core.errors import GlimtError
from core.queue.dispatch import Dispatcher

log = structlog.get_logger(__name__)

CLOSE_S = 5.0


class Announcer:
    """`hint` returns at once, also while Redis is away, so no acknowledgement ever waits for the queue."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._people: set[str] = set()
        self._conversations: set[str] = set()
        # When to announce to all what was left to one worker; the sweeper does it too, a little later.
        self._left: deque[tuple[float, tuple[str, ...]]] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
        self._thread.start()

    def hint(self, person_id: str, conversation_id: str) -> None:
        """Something of this person or in this conversation may have become ready."""
        with self._wake:
            self._people.add(person_id)
            self._conversations.add(conversation_id)
            self._wake.notify()

    def close(self) -> None:
        """Serve what was hinted, then end. Returns at the latest after `CLOSE_S`; the sweeper announces the rest."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._people or self._closed, self._pause_s())
                if self._closed and not self._people:
                    return
                people, self._people = self._people, set()
                conversations, self._conversations = self._conversations, set()
            try:
                if people:
                    self._announce(people, conversations)
                self._release()
            except GlimtError as error:
                # The sweeper announces whatever stays behind.
                log.warning("announce_failed", error=error.code)
            except Exception:
                # Nobody would start this thread again.
                log.exception("announce_error")

    def _announce(self, people: set[str], conversations: set[str]) -> None:
        announced = self._dispatcher.announce(people, conversations)
        if announced.left:
            self._left.append((time.monotonic() + self._dispatcher.affinity_s, announced.left))

    def _pause_s(self) -> float | None:
        return max(0.0, self._left[0][0] - time.monotonic()) if self._left else None

    def _release(self) -> None:
        due: list[str] = []
        while self._left and self._left[0][0] <= time.monotonic():
            due += self._left.popleft()[1]
        if due:
            self._dispatcher.release(due)
