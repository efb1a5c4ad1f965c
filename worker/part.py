"""What runs in a thread of its own beside the answering ones."""

import threading
from abc import ABC, abstractmethod

# How long the end of the process waits for each of its threads: what hangs must not keep it from ending.
CLOSE_S = 5.0


class Part(ABC):
    """A thread of the worker called `name`: started once, asked to end by `stopped`."""

    def __init__(self, name: str) -> None:
        self.stopped = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    @abstractmethod
    def run(self) -> None:
        """What the thread does, until soon after `stopped` is set."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask to end after what is being done now."""
        self.stopped.set()

    def close(self) -> None:
        """Stop, and wait for the end, but not longer than `CLOSE_S`."""
        self.stop()
        self._thread.join(CLOSE_S)
