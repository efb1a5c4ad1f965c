"""How much a rule removes: counted before it does (a dry run), and added up while it does."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.orm import Session

from core.store.admin_tables import AuditEntry
from core.store.models import Attachment, Conversation, InboundEvent, Turn, Usage
from core.store.retention.going import IS_STORED, Going
from core.store.retention.rules import What


@dataclass(frozen=True, slots=True)
class Figures:
    """`rows` are turns, files, events or entries, after what the rule is for. `pictures` are as they were sent, and
    `byte_size` is what the blob store gets back: a picture that is kept elsewhere takes its room on. Times are of the
    oldest and the newest row.
    """

    rows: int = 0
    conversations: int = 0
    pictures: int = 0
    byte_size: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None

    def __add__(self, other: "Figures") -> "Figures":
        times = [at for at in (self.oldest, self.newest, other.oldest, other.newest) if at is not None]
        return Figures(
            self.rows + other.rows,
            self.conversations + other.conversations,
            self.pictures + other.pictures,
            self.byte_size + other.byte_size,
            min(times, default=None),
            max(times, default=None),
        )

    def as_json(self) -> dict[str, Any]:
        """For a JSON column, a form or a command's output."""
        given = asdict(self)
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in given.items()}

    @classmethod
    def of_json(cls, given: dict[str, Any]) -> "Figures":
        """What `as_json` wrote; whatever is missing counts as nothing."""

        def number(name: str) -> int:
            return int(given.get(name) or 0)

        def time(name: str) -> datetime | None:
            return datetime.fromisoformat(given[name]) if given.get(name) else None

        return cls(
            number("rows"),
            number("conversations"),
            number("pictures"),
            number("byte_size"),
            time("oldest"),
            time("newest"),
        )


def dry_run(
    session: Session, going: Going, what: What, workspace_id: str | None = None, *, everywhere: bool = False
) -> Figures:
    """What a run would remove now by the rule of `what`: where the default decides, or in one workspace.

    `everywhere`: by all rules of that kind together.
    """
    match what:
        case What.EVENTS:
            return _rows(session, select(InboundEvent.received_at).where(going.events()))
        case What.AUDIT:
            return _rows(session, select(AuditEntry.at).where(going.entries()))
        case What.USAGE:
            here = true() if everywhere else going.rules.concerns(what, workspace_id, Usage.workspace_id)
            return _rows(session, select(Usage.created_at).where(going.usage(), here))
    here = true() if everywhere else going.rules.concerns(what, workspace_id, Conversation.workspace_id)
    match what:
        case What.TURNS:
            return _turns(session, going, here)
        case What.PICTURES:
            counted = _rows(session, _files(Turn.created_at).where(going.files(what), here))
            freed = _freed(session, going.files(what) & here, or_(going.turns(), going.files(what)))
            return Figures(counted.rows, 0, counted.rows, freed, counted.oldest, counted.newest)
        case What.FILES:
            return _rows(session, _files(Turn.created_at).where(going.files(what), here))
        case _:
            return _rows(session, _of_turns(Turn.created_at).where(going.turns_with(what), here))


def _of_turns(*columns: Any) -> Select[Any]:
    """A query of turns with their conversations."""
    return select(*columns).select_from(Turn).join(Conversation, Conversation.id == Turn.conversation_id)


def _files(*columns: Any) -> Select[Any]:
    """A query of attachments with their turns and conversations."""
    files = select(*columns).select_from(Attachment).join(Turn, Turn.id == Attachment.turn_id)
    return files.join(Conversation, Conversation.id == Turn.conversation_id)


def _rows(session: Session, times: Select[Any]) -> Figures:
    """Of a query of the times of rows."""
    at = times.subquery()
    ends = select(func.count(), func.min(at.c[0]), func.max(at.c[0])).select_from(at)
    count, oldest, newest = session.execute(ends).one()
    return Figures(rows=count, oldest=oldest, newest=newest)


def _turns(session: Session, going: Going, here: ColumnElement[bool]) -> Figures:
    mine = going.turns() & here
    counted = _rows(session, _of_turns(Turn.created_at).where(mine))
    touched = _of_turns(Turn.conversation_id).where(mine).distinct().subquery()
    kept = _of_turns(Turn.id).where(Turn.conversation_id == touched.c.conversation_id, ~going.turns())
    whole = select(func.count()).select_from(touched).where(~kept.correlate(touched).exists())
    pictures = _files(func.count()).where(mine, IS_STORED)
    return Figures(
        counted.rows,
        session.scalar(whole) or 0,
        session.scalar(pictures) or 0,
        _freed(session, mine & IS_STORED, going.turns()),
        counted.oldest,
        counted.newest,
    )


def _freed(session: Session, taken: ColumnElement[bool], gone: ColumnElement[bool]) -> int:
    """Bytes of the blobs that are `taken` and that no attachment names which is not `gone`."""
    size = func.max(Attachment.byte_size).label("byte_size")
    blobs = _files(Attachment.blob_key, size).where(taken).group_by(Attachment.blob_key).subquery()
    kept = _files(Attachment.id).where(Attachment.blob_key == blobs.c.blob_key, ~gone)
    return int(session.scalar(select(func.sum(blobs.c.byte_size)).where(~kept.correlate(blobs).exists())) or 0)
