"""Runs of retention: what is older than the rules allow goes, in small batches, by one process at a time.

A run goes through `What` in its order, and through the rows of each from the oldest on. How far it has come, and what
has gone, is written in the transaction that removes it; so whoever takes a run over goes on where it stopped, and
nothing is counted twice. What a run leaves (blobs that are too new or out of reach, conversations that were being
changed) the next one finds.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from core.admins import Action
from core.conversation.erasure import remove_blobs
from core.conversation.titles import title_of
from core.errors import LostLease, StoreError
from core.media.blobs import BlobStore
from core.store.database import Repositories, Store
from core.store.retention.batches import Batch, Cursor
from core.store.retention.figures import Figures
from core.store.retention.going import Going
from core.store.retention.rules import What
from core.store.retention.runs import RETENTION
from core.store.retention_tables import RetentionRun
from core.values import utc_now

log = structlog.get_logger(__name__)

# Turns of one transaction: on SQLite a tenth of a second, in which nobody else can write, would be too long.
BATCH = 40
# Rows on which nothing hangs.
_LIGHT = (What.EVENTS, What.USAGE, What.AUDIT)
EVERY = timedelta(hours=24)
LEASE = timedelta(minutes=2)
# Between two batches, so that others who write get their turn.
PAUSE_S = 0.02
# Presses that nobody could deal with; Telegram itself would have forgotten them after a day.
UPDATES_STAY = timedelta(days=7)
WORDS, TIDY = "words", "tidy"
STAGES: tuple[str, ...] = (What.EVENTS, What.USAGE, What.TURNS, WORDS, What.PICTURES, What.THINKING, What.FILES)
STAGES = (*STAGES, What.AUDIT, TIDY)
_BEGUN = "begun"

Wait = Callable[[float], bool]


class Retention:
    """Does runs. `owner` names this process; `wait` sleeps so many seconds and says whether to stop. Synchronous."""

    def __init__(
        self, store: Store, blobs: BlobStore, owner: str, wait: Wait | None = None, *, batch: int = BATCH
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._owner = owner
        self._wait = wait or _sleep
        self._batch_size = batch

    def round(self) -> RetentionRun | None:
        """Do the run that is due, if there is one for this process; the run as it was left. To be called now and then.

        Raises:
            StoreError: the database is away; whoever comes next goes on.
        """
        now = utc_now()
        with self._store.read() as repositories:
            if not repositories.retention.to_do(self._owner, now, EVERY):
                return None
        return self._claim_and_do(EVERY, RETENTION)

    def run_now(self, asked_by: str) -> RetentionRun | None:
        """Do a run at once, or go on with the one that waits; None: another process is at it.

        Raises:
            StoreError: the database is away; call again.
        """
        return self._claim_and_do(timedelta(), asked_by)

    def _claim_and_do(self, every: timedelta, asked_by: str) -> RetentionRun | None:
        with self._store.write() as repositories:
            run = repositories.retention.claim_run(self._owner, utc_now(), LEASE, every, asked_by)
        if run is None:
            return None
        try:
            self._go_on(run)
        except LostLease:
            log.warning("retention_run_lost", run=run.id)
            return None
        return run

    def _go_on(self, run: RetentionRun) -> None:
        begun = STAGES.index(run.stage) if run.stage in STAGES else 0
        for stage in STAGES[begun:]:
            if stage != run.stage:
                run.stage, run.cursor = stage, ""
            while self._step(run):
                if self._wait(PAUSE_S):
                    return
        self._finish(run)

    def _step(self, run: RetentionRun) -> bool:
        """One batch; whether there may be more of this stage."""
        if run.stage == WORDS:
            return self._purge_words(run)
        if run.stage == TIDY:
            with self._store.write() as repositories:
                now = utc_now()
                going = Going(repositories.retention.rules(), run.started_at)
                forgotten = repositories.rollup.forget_whose(going.rules, going.now)
                over = 0 if forgotten else repositories.retention.tidy(going, now, now - UPDATES_STAY)
                self._advance(repositories, run, "", Figures(rows=forgotten + over))
            return forgotten > 0
        return self._batch(run, What(run.stage))

    def _batch(self, run: RetentionRun, what: What) -> bool:
        with self._store.read() as repositories:
            going = Going(repositories.retention.rules(), run.started_at)
            limit = self._batch_size * (10 if what in _LIGHT else 1)
            batch = repositories.retention.due(going, what, _cursor(run.cursor), limit)
        if not batch.ids:
            return False
        now = utc_now()
        with self._store.write() as repositories:
            # As they are now: an owner may have changed his mind.
            going = Going(repositories.retention.rules(), run.started_at)
            if what is What.AUDIT:
                repositories.retention.open_audit_door(going, now)
            removed = repositories.retention.remove(going, what, batch.ids, title_of, now)
            self._advance(repositories, run, _behind(batch), removed.figures)
        if removed.erasure_id:
            self._remove_blobs(removed.erasure_id, now)
        return batch.next is not None

    def _purge_words(self, run: RetentionRun) -> bool:
        if not run.removed.get(What.TURNS):
            with self._store.read() as repositories:
                if not repositories.erasures.words_are_left(run.started_at - 2 * EVERY):
                    return False
        with self._store.write() as repositories:
            more = repositories.erasures.purge_words(begin=run.cursor != _BEGUN)
            self._advance(repositories, run, _BEGUN, Figures())
        return more

    def _remove_blobs(self, erasure_id: str, now: datetime) -> None:
        try:
            with self._store.read() as repositories:
                record = repositories.erasures.get(erasure_id)
            if record is not None:
                remove_blobs(self._store, self._blobs, record, now)
        except StoreError as error:
            # The record names them: `finish_erasures` removes them when the blob store is back.
            log.warning("retention_blobs_left", error=type(error).__name__)

    def _advance(self, repositories: Repositories, run: RetentionRun, cursor: str, figures: Figures) -> None:
        removed = dict(run.removed)
        if figures != Figures():
            removed[run.stage] = (Figures.of_json(removed.get(run.stage, {})) + figures).as_json()
        done = repositories.retention.advance_run(
            run.id, self._owner, utc_now() + LEASE, stage=run.stage, cursor=cursor, removed=removed
        )
        if not done:
            raise LostLease(f"retention run {run.id} is somebody else's")
        # What is said here is what was committed only if the commit succeeds: else the run is read anew.
        run.cursor, run.removed = cursor, removed

    def _finish(self, run: RetentionRun) -> None:
        now = utc_now()
        with self._store.write() as repositories:
            if not repositories.retention.finish_run(run.id, self._owner, now):
                raise LostLease(f"retention run {run.id} is somebody else's")
            rows = {stage: figures["rows"] for stage, figures in run.removed.items() if stage != TIDY}
            if rows or run.asked_by != RETENTION:
                repositories.audit.add(Action.RETENTION_RAN, admin_name=run.asked_by, detail={"removed": rows})
        run.running, run.finished_at = None, now
        self._store.settle()
        log.info("retention_ran", **{stage: figures["rows"] for stage, figures in run.removed.items()})


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def _behind(batch: Batch) -> str:
    return f"{batch.next[0].isoformat()} {batch.next[1]}" if batch.next is not None else ""


def _cursor(text: str) -> Cursor | None:
    at, _, key = text.partition(" ")
    return (datetime.fromisoformat(at), key) if key else None
