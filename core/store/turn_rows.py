"""What all parts of the turn repository share: running a guarded change, numbering turns, closing one that ended."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from core.errors import NotFound, StoreError
from core.store.models import Conversation, Delivery, Turn, Workspace
from core.store.turn_guards import NOW, UNSYNCHRONIZED
from core.store.upsert import insert_if_new
from core.values import new_id

ANSWER = "answer"

_TAKE_SEQS = (
    update(Conversation)
    .where(Conversation.id == bindparam("conversation_id"))
    .values(last_seq=Conversation.last_seq + bindparam("count"), updated_at=NOW)
    .returning(Conversation.last_seq, Conversation.handed_over_at)
    .execution_options(**UNSYNCHRONIZED)
)
_TOUCH = (
    update(Conversation)
    .where(Conversation.id == bindparam("conversation_id"))
    .values(updated_at=NOW)
    .returning(
        Conversation.workspace_id,
        select(Workspace.platform).where(Workspace.id == Conversation.workspace_id).scalar_subquery(),
    )
    .execution_options(**UNSYNCHRONIZED)
)


class Seqs(NamedTuple):
    """The first of some new numbers in a conversation, and whether a human answers there."""

    first: int
    handed_over: bool


class TurnRows:
    """One transaction's view of the turns."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _changed(self, statement: ReturningUpdate[Turn], **parameters: Any) -> Turn | None:
        """Run a guarded UPDATE of one turn; the turn after it, or None if the guard held it back."""
        return self._session.scalars(statement, parameters).one_or_none()

    def _number(self, statement: Select[int], **parameters: Any) -> int:
        return self._session.scalar(statement, parameters) or 0

    def _take_seqs(self, conversation_id: str, count: int, now: datetime) -> Seqs:
        """Take the next `count` numbers of a conversation, which nobody else gets then.

        Raises:
            NotFound: no such conversation.
        """
        parameters = {"conversation_id": conversation_id, "count": count, "now": now}
        row = self._session.execute(_TAKE_SEQS, parameters).first()
        if row is None:
            raise NotFound(f"no conversation {conversation_id}")
        return Seqs(row.last_seq - count + 1, row.handed_over_at is not None)

    def _close(self, turn: Turn, now: datetime) -> str:
        """Write the one delivery row of a turn that has just ended, unless it is there; the id of its workspace."""
        touched = self._session.execute(_TOUCH, {"conversation_id": turn.conversation_id, "now": now}).first()
        if touched is None:
            raise StoreError(f"turn {turn.id} has no conversation")
        workspace_id, platform = touched
        # Where the answer is sent, intake has written the row already (`DeliveryRepository.open`).
        row = {"id": new_id(), "turn_id": turn.id, "platform": platform, "kind": ANSWER, "created_at": now}
        insert_if_new(self._session, Delivery, row, ("turn_id", "kind"))
        return str(workspace_id)
