"""What is open in a conversation or of a person, leaving it to a human, his answers, and giving it back."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, case, func, select, update

from core.store.models import Attachment, Turn
from core.store.turn_deliveries import deliver_again
from core.store.turn_guards import FRESH, IS_OPEN, IS_WAITING, NOT_HANDED_OVER, NOW, TURN_ID, in_state
from core.store.turn_rows import TurnRows
from core.values import AttachmentState, TurnState, new_id

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
_TURN_IDS: BindParameter[list[str]] = bindparam("turn_ids", expanding=True)
_LEFT_TO_HUMAN = in_state(TurnState.HANDED_OVER)
_LAST = (
    select(Turn)
    .where(Turn.conversation_id == bindparam("conversation_id"))
    .order_by(Turn.seq.desc())
    .limit(1)
    .execution_options(populate_existing=True)
)
_ANSWER_BY_HUMAN = (
    update(Turn)
    .where(Turn.id == TURN_ID, _LEFT_TO_HUMAN)
    .values(
        state=TurnState.ANSWERED,
        answer=bindparam("words"),
        answered_by=bindparam("admin_id"),
        finished_at=NOW,
    )
    .returning(Turn)
    .execution_options(**FRESH)
)
_ANSWERED_UP_TO = (
    select(func.coalesce(func.max(Turn.seq), 0))
    .where(Turn.conversation_id == bindparam("conversation_id"), Turn.state != TurnState.HANDED_OVER)
    .scalar_subquery()
)
_LEFT_OPEN = (
    select(Turn)
    .where(Turn.conversation_id == bindparam("conversation_id"), _LEFT_TO_HUMAN, Turn.seq > _ANSWERED_UP_TO)
    .order_by(Turn.seq.desc())
    .limit(bindparam("most"))
    .execution_options(populate_existing=True)
)
_HAS_PENDING_FILES = (
    select(Attachment.id)
    .where(Attachment.turn_id == Turn.id, Attachment.state == AttachmentState.PENDING)
    .correlate(Turn)
    .exists()
)
_GIVE_BACK = (
    update(Turn)
    .where(Turn.id.in_(_TURN_IDS), _LEFT_TO_HUMAN, NOT_HANDED_OVER)
    .values(
        state=case((_HAS_PENDING_FILES, TurnState.GATHERING.value), else_=TurnState.READY.value),
        ready_at=case((_HAS_PENDING_FILES, None), else_=NOW),
        finished_at=None,
        not_before=None,
        dispatch_again_at=None,
        failures=0,
        error_code="",
        error_message="",
        cancel_requested=False,
    )
    .returning(Turn)
    .execution_options(**FRESH)
)


class TurnHandover(TurnRows):
    """Handing over is `ConversationRepository.hand_over` first, then this, in a transaction of its own.

    What a human says is the answer of the last question where that is open, else a turn without a question.
    """

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

    def last_of(self, conversation_id: str) -> Turn | None:
        """The last turn of a conversation, as it is now. Attachments are not loaded."""
        return self._session.scalars(_LAST, {"conversation_id": conversation_id}).one_or_none()

    def answer_by_human(self, turn_id: str, words: str, admin_id: str, now: datetime, after_id: str | None) -> bool:
        """handed over → answered, in an admin's words, which are brought behind the delivery `after_id`.

        False: it is not handed over (any more).
        """
        turn = self._changed(_ANSWER_BY_HUMAN, turn_id=turn_id, words=words, admin_id=admin_id, now=now)
        if turn is None:
            return False
        deliver_again(self._session, turn_id, now, after_id)
        # Where answers are fetched, there may be no row yet.
        self._close(turn, now)
        return True

    def say_by_human(self, conversation_id: str, person_id: str, words: str, admin_id: str, now: datetime) -> Turn:
        """An admin's words to `person_id`, to no question: a turn that is answered. The caller writes its delivery.

        Raises:
            NotFound: no such conversation.
        """
        seqs = self._take_seqs(conversation_id, 1, now)
        turn = Turn(
            id=new_id(),
            conversation_id=conversation_id,
            person_id=person_id,
            seq=seqs.first,
            state=TurnState.ANSWERED,
            answer=words,
            answered_by=admin_id,
            created_at=now,
            finished_at=now,
        )
        self._session.add(turn)
        self._session.flush()
        return turn

    def left_open(self, conversation_id: str, most: int) -> Sequence[Turn]:
        """The latest `most` questions that a human has left unanswered: those behind the last answer, in order."""
        found = self._session.scalars(_LEFT_OPEN, {"conversation_id": conversation_id, "most": most}).all()
        return list(reversed(found))

    def give_back_to_model(self, turn_ids: Collection[str], now: datetime, after_id: str | None) -> list[str]:
        """handed over → ready (gathering, where files are still to be fetched): the ids of those that were.

        Only in a conversation that was released. What will be answered is brought behind the delivery `after_id`.
        """
        turns = self._session.scalars(_GIVE_BACK, {"turn_ids": list(turn_ids), "now": now}).all()
        for turn in turns:
            deliver_again(self._session, turn.id, now, after_id)
        return [turn.id for turn in sorted(turns, key=lambda turn: turn.seq)]
