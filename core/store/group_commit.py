"""Many small writes in few transactions: whoever waits while one commits shares the next one with all others."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from core.errors import StoreError
from core.store.database import Repositories, Store, unavailable_is_store_error

log = structlog.get_logger(__name__)

T = TypeVar("T")
# So many statements hold the writer for some 100 ms on a slow machine.
MOST = 32
CLOSE_S = 10.0
# Where writers run side by side each statement is a round trip, and one thread would wait for one after the other.
LANES = 4


@dataclass(slots=True)
class _Asked:
    write: Callable[[Repositories], Any]
    since: float = field(default_factory=time.monotonic)
    future: "Future[Any]" = field(default_factory=Future)
    value: Any = None
    error: Exception | None = None

    def settle(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)


class GroupCommit:
    """One thread that writes for many. What is submitted together is committed together, in the order of submission.

    Each write has a savepoint: one that raises is undone alone. Where the transaction itself fails, every write is
    tried once more in one of its own, so a write must bear being repeated after a commit of which nobody knows
    whether it came through. It sees what those before it wrote, and no objects of theirs.

    `urgent`: before the other writers of this process (`Store.write`).
    """

    def __init__(self, store: Store, name: str, *, urgent: bool = False) -> None:
        self._store = store
        self._urgent = urgent
        self._waiting: deque[_Asked] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._oldest: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"commit-{name}", daemon=True)
        self._thread.start()

    def submit(self, write: Callable[[Repositories], T]) -> "Future[T]":
        """Have `write` run in a transaction; its value, or what it raised, once that is committed.

        The future raises StoreError where the database is gone, or this was closed.
        """
        asked = _Asked(write)
        with self._wake:
            if self._closed:
                asked.future.set_exception(StoreError("this process is stopping"))
            else:
                self._waiting.append(asked)
                if self._oldest is None:
                    self._oldest = asked.since
                self._wake.notify()
        return asked.future

    @property
    def lag_s(self) -> float:
        """How long the oldest write that is not committed has been waiting, in seconds."""
        oldest = self._oldest
        return time.monotonic() - oldest if oldest is not None else 0.0

    def close(self) -> None:
        """Write what was submitted, then end. Blocks, but no longer than `CLOSE_S`."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._closed)
                group = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            if not group:
                return
            # Whoever has given up by now is not written for.
            group = [asked for asked in group if asked.future.set_running_or_notify_cancel()]
            try:
                self._commit(group)
            except Exception as error:
                # Nobody would start this thread again, and they wait.
                log.exception("group_commit_error")
                for asked in group:
                    asked.error = error
            for asked in group:
                asked.settle()
            with self._wake:
                self._oldest = self._waiting[0].since if self._waiting else None

    def _commit(self, group: list[_Asked]) -> None:
        if len(group) > 1:
            try:
                with self._store.write(urgent=self._urgent) as repositories:
                    for asked in group:
                        _write_one(repositories, asked)
                return
            except Exception as error:
                # Perhaps one of them broke it for all; perhaps the database is gone, and all of them hear so.
                log.warning("group_divided", error=type(error).__name__, writes=len(group))
        for asked in group:
            asked.value, asked.error = None, None
            try:
                with self._store.write(urgent=self._urgent) as repositories:
                    asked.value = asked.write(repositories)
            except Exception as error:
                asked.error = error


def _write_one(repositories: Repositories, asked: _Asked) -> None:
    """Run one of several.

    Raises:
        StoreError: the transaction is of no use any more.
    """
    session = repositories.session
    try:
        with unavailable_is_store_error(), session.begin_nested():
            asked.value = asked.write(repositories)
    except StoreError:
        raise
    except Exception as error:
        asked.error = error
    # The next one must not meet rows as they were before statements that objects know nothing of.
    session.expunge_all()


class Lanes:
    """Several groups side by side where the database has more than one writer; else one.

    Writes with the same `key` are committed in the order of submission, and never side by side.
    """

    def __init__(self, store: Store, name: str, *, urgent: bool = False) -> None:
        count = 1 if store.one_writer else LANES
        self._groups = [GroupCommit(store, f"{name}-{n}", urgent=urgent) for n in range(count)]

    def submit(self, key: str, write: Callable[[Repositories], T]) -> "Future[T]":
        """See `GroupCommit.submit`."""
        return self._groups[hash(key) % len(self._groups)].submit(write)

    @property
    def lag_s(self) -> float:
        """How long the oldest write of all has been waiting, in seconds."""
        return max(group.lag_s for group in self._groups)

    def close(self) -> None:
        """Close all of them. Blocks."""
        for group in self._groups:
            group.close()
