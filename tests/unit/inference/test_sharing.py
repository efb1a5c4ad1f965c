"""Engines on the same cores take turns."""

import threading

from core.inference.sharing import FairLock
from tests.processes import until


def test_whoever_asks_again_waits_behind_the_others() -> None:
    lock, order, asking = FairLock(), list[str](), threading.Event()

    def other() -> None:
        asking.set()
        with lock:
            order.append("other")

    thread = threading.Thread(target=other)
    with lock:
        thread.start()
        asking.wait()
        until(lambda: len(lock._waiting) == 1, "the other one waits")
        order.append("first")
    with lock:
        order.append("again")
    thread.join()

    assert order == ["first", "other", "again"]


def test_it_holds_one_at_a_time_and_survives_errors() -> None:
    lock, inside, most = FairLock(), list[int](), list[int]()

    def work(number: int) -> None:
        for _ in range(200):
            try:
                with lock:
                    inside.append(number)
                    most.append(len(inside))
                    inside.remove(number)
                    raise ValueError
            except ValueError:
                continue

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(most), max(most)) == (800, 1)
