"""Celery's threads pool, which says when a thread is free again."""

from typing import Any

from celery.concurrency.thread import ApplyResult, TaskPool
from kombu.asynchronous import get_event_loop


class WakingPool(TaskPool):  # type: ignore[misc]  # Celery has no types
    """Wakes Celery's loop after every task.

    With `worker_disable_prefetch` the loop takes a message only while a thread is free, but looks for free threads only
    when something else happens, or once a second.
    """

    def on_apply(self, *args: Any, **kwargs: Any) -> ApplyResult:
        """Run a task in a thread, and call the loop when everything that belongs to the task is done."""
        result = super().on_apply(*args, **kwargs)
        result.f.add_done_callback(_wake)
        return result


def _wake(_: object) -> None:
    loop = get_event_loop()
    if loop is not None:
        # This call is safe in any thread, and all that is wanted of it.
        loop.call_soon(_nothing)  # type: ignore[no-untyped-call]  # kombu is typed in part


def _nothing() -> None:
    pass
