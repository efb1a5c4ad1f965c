"""Makes batches in a process of its own, so that drawing pictures and training overlap."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from queue import Full
from typing import Any


def feed(make: Callable[[int], Any], start: int, *, ahead: int = 6) -> Iterator[Any]:
    """Yield `make(start)`, `make(start + 1)`, … computed up to `ahead` batches early.

    `make` is a picklable function of the batch's number alone: a resumed run continues with the
    batches it has not seen. The process ends with the iterator, or with its parent.
    """
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue(maxsize=ahead)
    process = context.Process(target=_produce, args=(make, start, queue), daemon=True)
    process.start()
    try:
        while True:
            item = queue.get(timeout=300)
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        process.terminate()
        process.join()


def _produce(make: Callable[[int], Any], start: int, queue: Any) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    parent = os.getppid()
    number = start
    while True:
        try:
            item = make(number)
        except Exception as error:  # handed to the trainer, which raises it
            queue.put(error)
            return
        while not _put(queue, item):
            if os.getppid() != parent:
                return
        number += 1


def _put(queue: Any, item: Any) -> bool:
    try:
        queue.put(item, timeout=5)
    except Full:
        return False
    return True
