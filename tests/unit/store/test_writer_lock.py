"""Who writes next."""

import threading

from core.store.writer_lock import WriterLock
from tests.processes import PATIENCE_S, until


class Queue:
    """Threads that wait for the lock, note their name when they have it, and hand it on."""

    def __init__(self) -> None:
        self.lock = WriterLock()
        self.order: list[str] = []
        self.threads: list[threading.Thread] = []

    def wait(self, name: str, *, urgent: bool) -> None:
        """One more waits; when this returns, it is in the queue."""
        waiting = len(self.lock._urgent) + len(self.lock._others)

        def take() -> None:
            assert self.lock.acquire(PATIENCE_S, urgent=urgent)
            self.order.append(name)
            self.lock.release()

        thread = threading.Thread(target=take)
        thread.start()
        self.threads.append(thread)
        until(lambda: len(self.lock._urgent) + len(self.lock._others) > waiting, "it waits")

    def end(self) -> list[str]:
        """Hand the lock to them; the order in which they had it."""
        self.lock.release()
        for thread in self.threads:
            thread.join(PATIENCE_S)
        return self.order


def test_it_is_handed_on_in_the_order_of_arrival() -> None:
    queue = Queue()
    assert queue.lock.acquire(0)
    for name in ("a", "b", "c"):
        queue.wait(name, urgent=False)
    assert queue.end() == ["a", "b", "c"]


def test_the_urgent_go_first_and_nobody_starves() -> None:
    queue = Queue()
    assert queue.lock.acquire(0)
    for name in ("a", "b"):
        queue.wait(name, urgent=False)
    for name in ("u1", "u2"):
        queue.wait(name, urgent=True)
    assert queue.end() == ["u1", "a", "u2", "b"]


def test_who_waits_too_long_is_out_of_the_queue() -> None:
    lock = WriterLock()
    assert lock.acquire(0)
    assert not lock.acquire(0.01)
    assert not lock.acquire(0.01, urgent=True)
    lock.release()
    assert lock.acquire(0)
