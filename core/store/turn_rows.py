"""What all parts of the turn repository share: running a guarded change, numbering turns, closing one that ended."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from core.errors import NotFound, StoreError
from core.store.models import Conversation, Delivery, Turn, Workspace
from core.store.turn_guards import NOW, UNSYNCHRONIZED

ANSWER = "answer"

_TAKE_SEQS = (
    update(Conversation)
    .where(Conversation.id == bindparam("conversation_id"))
    .values(last_seq=Conversation.last_seq + bindparam("count"), updated_at=NOW)
    .returning(Conversation.last_seq)
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
_DELIVER = insert(Delivery)


class TurnRows:
    """One transaction's view of the turns."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _changed(self, statement: ReturningUpdate[Turn], **parameters: Any) -> Turn | None:
        """Run a guarded UPDATE of one turn; the turn after it, or None if the guard held it back."""
        return self._session.scalars(statement, parameters).one_or_none()

    def _number(self, statement: Select[int], **parameters: Any) -> int:
        return self._session.scalar(statement, parameters) or 0

    def _take_seqs(self, conversation_id: str, count: int, now: datetime) -> int:
        """The first of the next `count` numbers of a conversation, which nobody else gets then.

        Raises:
            NotFound: no such conversation.
        """
        last = self._session.scalar(_TAKE_SEQS, {"conversation_id": conversation_id, "count": count, "now": now})
        if last is None:
            raise NotFound(f"no conversation {conversation_id}")
        return last - count + 1

    def _close(self, turn: Turn, now: datetime) -> str:
        """Write the one delivery row of a turn that has just ended; returns the id of its workspace."""
        row = self._session.execute(_TOUCH, {"conversation_id": turn.conversation_id, "now": now}).first()
        if row is None:
            raise StoreError(f"turn {turn.id} has no conversation")
        workspace_id, platform = row
        self._session.execute(_DELIVER, {"turn_id": turn.id, "platform": platform, "kind": ANSWER, "created_at": now})
        return str(workspace_id)
