"""What admins said about turns: flags, labels, notes, corrections, judgements."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from core.store.admin_tables import Admin
from core.store.models import Conversation, Turn
from core.store.review.scope import ReadScope
from core.store.review_tables import (
    Correction,
    Judgement,
    Label,
    QueueItem,
    ReviewQueue,
    TurnFlag,
    TurnLabel,
    TurnNote,
)


@dataclass(frozen=True, slots=True)
class Said:
    """Something that an admin wrote or chose: a reason, a label's name, a note, a corrected answer, a verdict."""

    id: str
    admin_id: str
    admin: str
    text: str
    at: datetime
    edited_at: datetime | None = None
    # Of a label.
    label_id: str = ""


@dataclass(slots=True)
class Remarks:
    """Everything about one turn, oldest first, but the latest correction first."""

    flags: list[Said] = field(default_factory=list)
    labels: list[Said] = field(default_factory=list)
    notes: list[Said] = field(default_factory=list)
    corrections: list[Said] = field(default_factory=list)
    judgements: list[Said] = field(default_factory=list)
    # It waits in a queue whose turns several admins are to judge without seeing what the others said.
    wants_several: bool = False

    @property
    def corrected(self) -> Said | None:
        """What counts instead of the answer."""
        return self.corrections[0] if self.corrections and self.corrections[0].text else None

    def seen_by(self, admin_id: str) -> "Remarks":
        """Only what this admin said himself, and the flags, while he is to judge by himself."""
        if not self.is_hidden_from(admin_id):
            return self
        mine = Remarks(flags=self.flags, wants_several=True)
        mine.labels = [said for said in self.labels if said.admin_id == admin_id]
        mine.notes = [said for said in self.notes if said.admin_id == admin_id]
        return mine

    def is_hidden_from(self, admin_id: str) -> bool:
        """Whether he is still to judge by himself."""
        return self.wants_several and all(said.admin_id != admin_id for said in self.judgements)


def read_remarks(session: Session, scope: ReadScope, turn_ids: Sequence[str]) -> dict[str, Remarks]:
    """What was said about these turns; those that may not be read are left out, the others all have an entry."""
    ids = select(Turn.id).join(Conversation, Conversation.id == Turn.conversation_id)
    allowed = list(session.scalars(ids.where(Turn.id.in_(turn_ids), scope.allows())))
    remarks = {turn_id: Remarks() for turn_id in allowed}
    for flag, name in session.execute(_by_admin(TurnFlag, allowed)):
        remarks[flag.turn_id].flags.append(Said(flag.id, flag.admin_id, name, flag.reason, flag.at))
    labels = _by_admin(TurnLabel, allowed).add_columns(Label.name).join(Label, Label.id == TurnLabel.label_id)
    for put, name, label in session.execute(labels):
        remarks[put.turn_id].labels.append(Said(put.id, put.admin_id, name, label, put.at, label_id=put.label_id))
    for note, name in session.execute(_by_admin(TurnNote, allowed)):
        remarks[note.turn_id].notes.append(Said(note.id, note.admin_id, name, note.text, note.at, note.edited_at))
    for fix, name in session.execute(_by_admin(Correction, allowed)):
        remarks[fix.turn_id].corrections.insert(0, Said(fix.id, fix.admin_id, name, fix.text, fix.at))
    for judged, name in session.execute(_by_admin(Judgement, allowed)):
        one = Said(judged.id, judged.admin_id, name, judged.verdict, judged.at)
        remarks[judged.turn_id].judgements.append(one)
    for turn_id in session.scalars(_waiting_for_several(QueueItem.turn_id.in_(allowed))):
        remarks[turn_id].wants_several = True
    return remarks


def _by_admin(
    table: type[TurnFlag] | type[TurnLabel] | type[TurnNote] | type[Correction] | type[Judgement], turn_ids: list[str]
) -> Select[Any, str]:
    about = select(table, Admin.name).join(Admin, Admin.id == table.admin_id)
    return about.where(table.turn_id.in_(turn_ids)).order_by(table.id)


def _waiting_for_several(which: ColumnElement[bool]) -> Select[str]:
    waiting = select(QueueItem.turn_id).join(ReviewQueue, ReviewQueue.id == QueueItem.queue_id)
    return waiting.where(which, QueueItem.done_at.is_(None), ReviewQueue.judges > 1)
