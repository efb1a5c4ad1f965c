"""Runs: one at a time in the whole installation, by whoever holds the lease."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from core.store.retention_tables import RetentionRun
from core.store.upsert import insert_if_new
from core.values import new_id

_OPEN = "open"
_NOBODY = ""
RETENTION = "retention"


class Runs:
    """Every change of a run is guarded by its lease."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def runs(self, limit: int) -> list[RetentionRun]:
        """The latest ones."""
        return list(self._session.scalars(select(RetentionRun).order_by(RetentionRun.id.desc()).limit(limit)).all())

    def to_do(self, owner: str, now: datetime, every: timedelta) -> bool:
        """Whether there is a run for this owner: one that he has, one that nobody has, or a new one. Writes nothing."""
        run = self._open()
        if run is not None:
            return run.lease_owner == owner or _is_free(run, now)
        last = self._session.scalar(select(func.max(RetentionRun.started_at)))
        return last is None or last <= now - every

    def claim_run(
        self, owner: str, now: datetime, lease: timedelta, every: timedelta = timedelta(), asked_by: str = RETENTION
    ) -> RetentionRun | None:
        """Take the run that is to be done, or begin one; None: somebody else has it, or none is due."""
        if not self.to_do(owner, now, every):
            return None
        self.ask_for_run(asked_by, now)
        claimed = (
            update(RetentionRun)
            .where(
                RetentionRun.running == _OPEN,
                or_(
                    RetentionRun.lease_owner.in_([owner, _NOBODY]),
                    RetentionRun.lease_until.is_(None),
                    RetentionRun.lease_until <= now,
                ),
            )
            .values(lease_owner=owner, lease_until=now + lease)
            .returning(RetentionRun)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return self._session.scalars(claimed).one_or_none()

    def ask_for_run(self, asked_by: str, now: datetime) -> bool:
        """A run as soon as a worker gets to it. False: one is going on, or was asked for already."""
        values = {"id": new_id(), "running": _OPEN, "asked_by": asked_by[:100], "started_at": now}
        return insert_if_new(self._session, RetentionRun, values, ("running",)) is not None

    def advance_run(
        self, run_id: str, owner: str, lease_until: datetime, *, stage: str, cursor: str, removed: dict[str, Any]
    ) -> bool:
        """Note how far it has come, in the transaction that does it. False: somebody else has it; undo what was done.

        Waits for whoever changes the run at this moment.
        """
        return self._change(run_id, owner, lease_until=lease_until, stage=stage, cursor=cursor[:100], removed=removed)

    def finish_run(self, run_id: str, owner: str, now: datetime) -> bool:
        """It is over. False: somebody else has it."""
        return self._change(run_id, owner, running=None, finished_at=now, lease_owner=_NOBODY, lease_until=None)

    def _open(self) -> RetentionRun | None:
        statement = select(RetentionRun).where(RetentionRun.running == _OPEN)
        return self._session.scalars(statement, execution_options={"populate_existing": True}).one_or_none()

    def _change(self, run_id: str, owner: str, **values: Any) -> bool:
        statement = (
            update(RetentionRun)
            .where(RetentionRun.id == run_id, RetentionRun.running == _OPEN, RetentionRun.lease_owner == owner)
            .values(**values)
            .returning(RetentionRun.id)
            .execution_options(synchronize_session=False)
        )
        return self._session.execute(statement).first() is not None


def _is_free(run: RetentionRun, now: datetime) -> bool:
    return run.lease_owner == _NOBODY or run.lease_until is None or run.lease_until <= now
