"""*Try again*: a turn that failed or was stopped is as if it had just been asked."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from core.store.models import Conversation, Turn
from core.store.turn_deliveries import deliver_again
from core.store.turn_guards import FRESH, NOW, TURN_ID, UNSYNCHRONIZED, in_state
from core.store.turn_rows import TurnRows
from core.values import ACTIVE_STATES, TurnState

_LATER = aliased(Turn, name="later")
_HOLD_FOR_REOPENING = (
    update(Conversation)
    .where(
        Conversation.id == select(Turn.conversation_id).where(Turn.id == TURN_ID).scalar_subquery(),
        Conversation.handed_over_at.is_(None),
        ~select(_LATER.id)
        .where(
            _LATER.conversation_id == Conversation.id,
            _LATER.seq > select(Turn.seq).where(Turn.id == TURN_ID).scalar_subquery(),
            _LATER.state.in_(ACTIVE_STATES),
        )
        .correlate(Conversation)
        .exists(),
    )
    .values(updated_at=NOW)
    .returning(Conversation.id)
    .execution_options(**UNSYNCHRONIZED)
)
_REOPEN = (
    update(Turn)
    .where(Turn.id == TURN_ID, in_state(TurnState.FAILED, TurnState.CANCELLED))
    .values(
        state=TurnState.READY,
        ready_at=NOW,
        answer="",
        thinking="",
        observations=[],
        finish_reason="",
        error_code="",
        error_message="",
        history_hash="",
        failures=0,
        cancel_requested=False,
        not_before=None,
        dispatch_again_at=None,
        started_at=None,
        first_token_at=None,
        finished_at=None,
        delivered_at=None,
        model="",
        prompt_tokens=0,
        picture_tokens=0,
        cached_tokens=0,
        completion_tokens=0,
        left_out=[],
        boxes=[],
    )
    .returning(Turn)
    .execution_options(**FRESH)
)


class TurnReopening(TurnRows):
    """The part of the turn repository that begins anew."""

    def reopen(self, turn_id: str, now: datetime) -> bool:
        """failed or cancelled → ready, as if just asked, with what came before it in its conversation; False: it is
        neither, a human answers in its conversation, or a turn behind it is open.

        Its attempts go on counting, so that a worker of an earlier attempt stays locked out.
        """
        # Takes the conversation's row first, so that no turn can be added behind this one meanwhile.
        if self._session.execute(_HOLD_FOR_REOPENING, {"turn_id": turn_id, "now": now}).first() is None:
            return False
        if self._changed(_REOPEN, turn_id=turn_id, now=now) is None:
            return False
        deliver_again(self._session, turn_id, now)
        return True
