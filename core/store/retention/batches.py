"""Batches of what is to go: looked for without a lock, looked at again with one, and removed.

A batch is found by `due`, which only reads, and removed by `remove`, in a transaction that asks again for every row
whether it is to go: a turn may have been asked again meanwhile, its conversation held, the rule changed. On PostgreSQL
conversations that somebody else is changing at this moment are left for the next run, so that nobody waits for us.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, select, tuple_, update
from sqlalchemy.orm import Session

from core.admins import Action
from core.store.admin_sessions import AdminSessionRepository
from core.store.admin_tables import AuditEntry
from core.store.audit import AuditRepository
from core.store.erasures import ErasureRepository, Gone, Kind, Title
from core.store.models import ApiKey, Attachment, Conversation, InboundEvent, Person, Turn, Usage
from core.store.retention.figures import Figures
from core.store.retention.going import Going
from core.store.retention.rules import What
from core.store.retention.runs import RETENTION
from core.store.retention_tables import AuditRemoval, RetentionRule
from core.store.telegram_tables import TelegramUpdate
from core.store.turn_guards import HAS_ENDED, IS_OPEN
from core.store.web_sessions import WebSessionRepository
from core.values import new_id

Cursor = tuple[datetime, str]
_AS_IT_IS: dict[str, Any] = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Batch:
    """Ids of rows, and the place behind them; `next` None: these were the last ones."""

    ids: list[str]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Removed:
    """What one batch came to. `erasure_id`: whose blobs are still to be removed; empty: there are none."""

    figures: Figures
    erasure_id: str = ""


class Batches:
    """The work of a run."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def due(self, going: Going, what: What, after: Cursor | None, limit: int) -> Batch:
        """The oldest rows behind `after` that are to go."""
        at, key, statement = self._sought(going, what)
        # Each in the order of an index of its own; ids grow with time, too.
        by_id = what in (What.USAGE, What.AUDIT)
        if after is not None:
            statement = statement.where(key > after[1] if by_id else tuple_(at, key) > tuple_(*after))
        found = self._session.execute(statement.order_by(*((key,) if by_id else (at, key))).limit(limit)).all()
        return Batch([row[1] for row in found], (found[-1][0], found[-1][1]) if len(found) == limit else None)

    def remove(self, going: Going, what: What, ids: Collection[str], title: Title, now: datetime) -> Removed:
        """Remove those of the rows that are still to go."""
        match what:
            case What.EVENTS:
                mine = InboundEvent.id.in_(ids) & going.events()
                return Removed(self._deleted(InboundEvent, mine, InboundEvent.received_at))
            case What.USAGE:
                mine = Usage.id.in_(ids) & going.usage()
                return Removed(self._changed(update(Usage).where(mine).values(person_id=""), Usage.created_at))
            case What.AUDIT:
                return Removed(self._deleted(AuditEntry, AuditEntry.id.in_(ids) & going.entries(), AuditEntry.at))
            case What.TURNS:
                return self._turns(going, ids, title, now)
            case What.THINKING:
                turns = self._still(going.turns_with(what), ids)
                change = update(Turn).where(Turn.id.in_(turns)).values(thinking="")
                return Removed(self._changed(change, Turn.created_at))
            case _:
                return self._files(going, what, ids, now)

    def open_audit_door(self, going: Going, now: datetime) -> None:
        """From now on entries that are too old may be removed; that they are is an entry itself.

        Not where nothing would go, nor where the door stands open as far already.
        """
        before = going.rules.latest(What.AUDIT, going.now)
        oldest = self._session.scalar(select(AuditEntry.at).order_by(AuditEntry.id).limit(1))
        if before is None or oldest is None or oldest >= before:
            return
        rule = select(RetentionRule.set_by).where(
            RetentionRule.what == What.AUDIT.value, RetentionRule.workspace_id.is_(None)
        )
        by = self._session.scalar(rule) or RETENTION
        known = select(AuditRemoval.id).where(AuditRemoval.before >= before).limit(1)
        if self._session.scalar(known) is not None:
            return
        self._session.add(AuditRemoval(id=new_id(), at=now, before=before, admin_name=by))
        detail = {"before": before.isoformat(), "rule_of": by}
        AuditRepository(self._session).add(Action.AUDIT_TRIMMED, admin_name=RETENTION, detail=detail)

    def audit_removals(self) -> list[AuditRemoval]:
        """How often old entries were let go of, latest first."""
        return list(self._session.scalars(select(AuditRemoval).order_by(AuditRemoval.id.desc()).limit(50)).all())

    def tidy(self, going: Going, now: datetime, updates_before: datetime) -> int:
        """Forget sessions that are over, updates that nobody has dealt with, and the names of people of whom nothing
        is left; how many of all.
        """
        AdminSessionRepository(self._session).purge(now)
        over = WebSessionRepository(self._session).purge(now)
        stale = delete(TelegramUpdate).where(TelegramUpdate.taken_at < updates_before).returning(TelegramUpdate.bot_id)
        over += len(self._session.execute(stale, execution_options=_AS_IT_IS).all())
        asked = select(Turn.id).where(Turn.person_id == Person.id)
        nameless = (
            update(Person)
            .where(
                Person.display_name != "",
                going.rules.is_over(What.TURNS, going.now, Person.workspace_id, Person.created_at),
                # Each half has an index of its own.
                ~asked.where(IS_OPEN).exists(),
                ~asked.where(HAS_ENDED).exists(),
                ~select(ApiKey.id).where(ApiKey.person_id == Person.id).exists(),
            )
            .values(display_name="")
            .returning(Person.id)
        )
        return over + len(self._session.execute(nameless, execution_options=_AS_IT_IS).all())

    def _sought(self, going: Going, what: What) -> tuple[Any, Any, Any]:
        match what:
            case What.EVENTS:
                statement = select(InboundEvent.received_at, InboundEvent.id).where(going.events())
                return InboundEvent.received_at, InboundEvent.id, statement
            case What.USAGE:
                return Usage.created_at, Usage.id, select(Usage.created_at, Usage.id).where(going.usage())
            case What.AUDIT:
                return AuditEntry.at, AuditEntry.id, select(AuditEntry.at, AuditEntry.id).where(going.entries())
            case What.TURNS:
                condition = going.turns()
            case _:
                condition = going.turns_with(what)
        statement = select(Turn.created_at, Turn.id).join(Conversation, Conversation.id == Turn.conversation_id)
        return Turn.created_at, Turn.id, statement.where(condition)

    def _still(self, condition: ColumnElement[bool], turn_ids: Collection[str]) -> list[str]:
        """Those of the turns that are to go, of conversations that nobody else changes until the commit."""
        here = Turn.id.in_(turn_ids)
        free = (
            select(Conversation.id)
            .where(Conversation.id.in_(select(Turn.conversation_id).where(here)))
            .order_by(Conversation.id)
            .with_for_update(skip_locked=True)
        )
        conversations = list(self._session.scalars(free).all())
        joined = select(Turn.id).join(Conversation, Conversation.id == Turn.conversation_id)
        mine = joined.where(here, Turn.conversation_id.in_(conversations), condition)
        # Held as well: a human may be giving them back to the model.
        held = mine.order_by(Turn.created_at, Turn.id).with_for_update(of=Turn, skip_locked=True)
        return list(self._session.scalars(held).all())

    def _turns(self, going: Going, ids: Collection[str], title: Title, now: datetime) -> Removed:
        turn_ids = self._still(going.turns(), ids)
        times = self._times(select(Turn.created_at).where(Turn.id.in_(turn_ids)))
        if not turn_ids:
            return Removed(times)
        return self._erased(lambda erasures, record: erasures.erase(record, turn_ids, title), times, now)

    def _files(self, going: Going, what: What, ids: Collection[str], now: datetime) -> Removed:
        turn_ids = self._still(going.turns_with(what), ids)
        files = (
            select(Attachment.id, Turn.created_at)
            .join(Turn, Turn.id == Attachment.turn_id)
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .where(Attachment.turn_id.in_(turn_ids), going.files(what))
        )
        found = self._session.execute(files).all()
        file_ids = [row[0] for row in found]
        times = Figures(len(found), 0, 0, 0, *_ends([row[1] for row in found]))
        if what is What.FILES:
            gone = delete(Attachment).where(Attachment.id.in_(file_ids))
            self._session.execute(gone, execution_options=_AS_IT_IS)
            return Removed(times)
        if not found:
            return Removed(times)
        return self._erased(lambda erasures, record: erasures.remove_pictures(record, file_ids), times, now)

    def _erased(self, erase: Callable[[ErasureRepository, str], Gone], times: Figures, now: datetime) -> Removed:
        erasures = ErasureRepository(self._session)
        erasure_id = erasures.begin(Kind.RETENTION, now)
        gone = erase(erasures, erasure_id)
        figures = Figures(times.rows, gone.conversations, gone.pictures, gone.byte_size, times.oldest, times.newest)
        if not gone.pictures:
            erasures.note_blobs(erasure_id, (), now)
            return Removed(figures)
        return Removed(figures, erasure_id)

    def _deleted(self, table: Any, condition: ColumnElement[bool], at: Any) -> Figures:
        return self._changed(delete(table).where(condition), at)

    def _changed(self, statement: Any, at: Any) -> Figures:
        times = self._session.scalars(statement.returning(at), execution_options=_AS_IT_IS).all()
        return Figures(len(times), 0, 0, 0, *_ends(list(times)))

    def _times(self, statement: Select[Any]) -> Figures:
        times = list(self._session.scalars(statement).all())
        return Figures(len(times), 0, 0, 0, *_ends(times))


def _ends(times: list[datetime]) -> tuple[datetime | None, datetime | None]:
    return min(times, default=None), max(times, default=None)
