"""History: turns that were answered elsewhere, and finding a conversation again by all that was said in it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, insert, select

from core.store.models import Turn
from core.store.turn_guards import HAS_HISTORY
from core.store.turn_rows import TurnRows
from core.values import FinishReason, TurnState, new_id

_BY_HISTORY = (
    select(Turn)
    .where(Turn.person_id == bindparam("person_id"), HAS_HISTORY, Turn.history_hash == bindparam("history_hash"))
    .order_by(Turn.id.desc())
    .limit(1)
)
_ADD = insert(Turn)


class PastRow(NamedTuple):
    """A turn that was answered elsewhere; the hash is the digest of the conversation up to and with its answer."""

    question: str
    answer: str
    history_hash: str


class TurnHistory(TurnRows):
    """What stateless clients bring along."""

    def add_history(self, conversation_id: str, person_id: str, history: Sequence[PastRow], now: datetime) -> list[str]:
        """Add the next turns of a conversation, delivered already; their ids. Two statements, however many they are.

        Raises:
            NotFound: no such conversation.
        """
        if not history:
            return []
        first = self._take_seqs(conversation_id, len(history), now).first
        rows = [
            {
                "id": new_id(),
                "conversation_id": conversation_id,
                "person_id": person_id,
                "seq": seq,
                "state": TurnState.DELIVERED,
                "question": past.question,
                "answer": past.answer,
                "finish_reason": FinishReason.STOP,
                "history_hash": past.history_hash,
                "created_at": now,
                "finished_at": now,
                "delivered_at": now,
            }
            for seq, past in enumerate(history, start=first)
        ]
        self._session.execute(_ADD, rows)
        return [str(row["id"]) for row in rows]

    def find_by_history(self, person_id: str, history_hash: str) -> Turn | None:
        """This person's latest turn whose conversation, up to and with its answer, has this digest."""
        parameters = {"person_id": person_id, "history_hash": history_hash}
        return self._session.scalars(_BY_HISTORY, parameters).one_or_none()
