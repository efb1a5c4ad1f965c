"""When to ask the server again."""

import random
import time
from dataclasses import dataclass

from core.inference.openai_backend.client import SILENCE_S


@dataclass(frozen=True, slots=True)
class Waits:
    """All times in seconds. The first wait doubles up to the longest; `patience_s` bounds all waits of a request.

    `silence_s`: a connection that brings nothing for so long is dead.
    """

    first_s: float = 0.5
    longest_s: float = 8.0
    patience_s: float = 60.0
    silence_s: float = SILENCE_S
    # A server that fails at a request is asked no more often: it may be the request.
    failures: int = 3


class Retries:
    """The waits of one thing that is tried again until `limit_s` seconds from now."""

    def __init__(self, waits: Waits, limit_s: float) -> None:
        self._next = waits.first_s
        self._longest = waits.longest_s
        self._until = time.monotonic() + limit_s
        self._failures = waits.failures

    def wait(self, after_s: float | None = None, *, broke: bool = False) -> float | None:
        """Seconds to wait now: what the server asked for, else longer each time. None: try no more.

        It is too late for that, or it `broke` once too often.

        A quarter of jitter keeps those who failed together from coming back together.
        """
        self._failures -= broke
        wait = after_s
        if wait is None:
            wait = self._next * random.uniform(0.75, 1.25)
            self._next = min(2 * self._next, self._longest)
        return wait if self._failures and time.monotonic() + wait < self._until else None
