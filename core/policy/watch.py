"""Keeps the policies that count in memory: one small query a second for each process, none for a message."""

import threading
from typing import Protocol

import structlog

from core.errors import StoreError
from core.policy.snapshot import EMPTY, Snapshot, snapshot_of
from core.store.database import Store

log = structlog.get_logger(__name__)

# A change counts everywhere after at most so long.
LOOK_S = 1.0
CLOSE_S = 5.0


class Policies(Protocol):
    """Where policies are had from."""

    @property
    def now(self) -> Snapshot:
        """What counts at this moment.

        Raises:
            StoreError: nobody knows yet.
        """


class NoPolicies:
    """Where nobody decides anything."""

    @property
    def now(self) -> Snapshot:
        """Nothing."""
        return EMPTY


class PolicyWatch:
    """Looks for new versions, by their number, since rows are only ever added. While the database is away, what was
    known last goes on counting."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._snapshot: Snapshot | None = None
        self._count = -1
        self._away = False
        self._known = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="policies", daemon=True)

    @property
    def now(self) -> Snapshot:
        """See `Policies`. Until the database has answered once nobody is served: there may be those who must not be."""
        if self._snapshot is None:
            raise StoreError("the settings of the console have not been read yet")
        return self._snapshot

    def start(self, patience_s: float = CLOSE_S) -> None:
        """Begin to look; waits for the first look, but not for a database that is away. Blocks."""
        self._thread.start()
        self._known.wait(patience_s)

    def look(self) -> None:
        """Read what has changed, now.

        Raises:
            StoreError: the database is away.
        """
        with self._store.read() as repositories:
            count = repositories.settings.count()
            if count == self._count:
                return
            newest = repositories.settings.newest()
        self._snapshot, self._count = snapshot_of(newest), count
        self._known.set()
        log.debug("settings_read", versions=count)

    def close(self) -> None:
        """End the thread. Blocks for a moment."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
                self._away = False
            except StoreError as error:
                if not self._away:
                    log.warning("settings_not_read", error=error.code)
                self._away = True
            except Exception:
                # Nobody would start this thread again.
                log.exception("settings_error")
            self._stopped.wait(LOOK_S)
