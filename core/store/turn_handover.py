"""What is open in a conversation or of a person, and leaving it to a human."""

from datetime import datetime

from sqlalchemy import bindparam, select, update

from core.store.models import Turn
from core.store.turn_guards import FRESH, IS_OPEN, IS_WAITING, NOW
from core.store.turn_rows import TurnRows
from core.values import TurnState

_OPEN_OF = (
    select(Turn)
    .where(IS_OPEN, Turn.conversation_id == bindparam("conversation_id"))
    .order_by(Turn.seq)
    .execution_options(populate_existing=True)
)
_OPEN_TURNS_OF = select(Turn.id).where(IS_OPEN, Turn.person_id == bindparam("person_id")).order_by(Turn.id)
_HAND_OVER = (
    update(Turn)
    .where(IS_OPEN, IS_WAITING, Turn.conversation_id == bindparam("handed_over"))
    .values(state=TurnState.HANDED_OVER, finished_at=NOW)
    .returning(Turn)
    .execution_options(**FRESH)
)


class TurnHandover(TurnRows):
    """Handing over is `ConversationRepository.hand_over` first, then this, in a transaction of its own."""

    def open_turns_of(self, person_id: str) -> list[str]:
        """Ids of the unanswered turns of one person, oldest first."""
        return list(self._session.scalars(_OPEN_TURNS_OF, {"person_id": person_id}).all())

    def hand_over(self, conversation_id: str, now: datetime) -> list[tuple[str, int]]:
        """What waits in a conversation is left to a human: (turn id, attempt) of each.

        Whoever adds a turn takes the conversation's row first, whoever ends one takes it last: hence two transactions.
        """
        turns = self._session.scalars(_HAND_OVER, {"handed_over": conversation_id, "now": now}).all()
        for turn in turns:
            self._close(turn, now)
        return [(turn.id, turn.attempt) for turn in sorted(turns, key=lambda turn: turn.seq)]

    def open_of(self, conversation_id: str) -> list[Turn]:
        """The turns of a conversation that have not ended, in order. Attachments are not loaded."""
        return list(self._session.scalars(_OPEN_OF, {"conversation_id": conversation_id}).all())
