"""The conditions that guard every change of a turn's state, and the parameters that they take.

State words stand in them as literals, not as parameters: a partial index is only used where the database can see
that the query's condition implies the index's. The statements of the queue are built from these once, at import:
building one costs SQLAlchemy several times as much as running it.
"""

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, literal_column, or_, select
from sqlalchemy.orm import aliased

from core.store.columns import UtcDateTime
from core.store.models import Conversation, Turn
from core.values import ACTIVE_STATES, TurnState

# Error code of a turn whose last attempt ended together with its worker.
WORKER_LOST = "worker_lost"

TURN_ID: BindParameter[str] = bindparam("turn_id")
NOW = bindparam("now", type_=UtcDateTime())
# Statements that count their rows with RETURNING need no bookkeeping in the session.
UNSYNCHRONIZED: dict[str, Any] = {"synchronize_session": False}
FRESH: dict[str, Any] = {"synchronize_session": False, "populate_existing": True}


def in_state(*states: TurnState) -> ColumnElement[bool]:
    """The turn is in one of these states."""
    words: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in states]
    return Turn.state == words[0] if len(words) == 1 else Turn.state.in_(words)


# Word for word the condition of the partial indexes: the turn holds back the later ones of its conversation.
IS_OPEN = in_state(*ACTIVE_STATES)
# The condition of `ix_turns_ended_person`.
HAS_ENDED = Turn.state.not_in([literal_column(f"'{state}'") for state in ACTIVE_STATES])
IS_GATHERING = and_(IS_OPEN, in_state(TurnState.GATHERING))
IS_READY = and_(IS_OPEN, in_state(TurnState.READY))
IS_RUNNING = and_(IS_OPEN, in_state(TurnState.RUNNING))
IS_WAITING = in_state(TurnState.GATHERING, TurnState.READY)

# Its files are fetched: for the model, or for the human who answers, or has answered before they were here.
TAKES_FILES = or_(
    in_state(TurnState.GATHERING, TurnState.HANDED_OVER),
    and_(in_state(TurnState.ANSWERED, TurnState.DELIVERED), Turn.answered_by != literal_column("''")),
)

HAS_HISTORY = Turn.history_hash != literal_column("''")

IS_HELD = and_(
    Turn.id == TURN_ID,
    IS_RUNNING,
    Turn.lease_owner == bindparam("owner"),
    Turn.attempt == bindparam("held_attempt"),
)


def _no_earlier_turn_is_open() -> ColumnElement[bool]:
    earlier = aliased(Turn, name="earlier")
    open_words: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in ACTIVE_STATES]
    return ~(
        select(earlier.id)
        .where(earlier.conversation_id == Turn.conversation_id, earlier.seq < Turn.seq, earlier.state.in_(open_words))
        .correlate(Turn)
        .exists()
    )


NO_EARLIER_TURN_IS_OPEN = _no_earlier_turn_is_open()


NOT_HANDED_OVER = ~(
    select(Conversation.id)
    .where(Conversation.id == Turn.conversation_id, Conversation.handed_over_at.is_not(None))
    .correlate(Turn)
    .exists()
)


def _is_suspect(turn: type[Turn]) -> ColumnElement[bool]:
    return and_(turn.failures > 0, turn.error_code == literal_column(f"'{WORKER_LOST}'"))


def _no_suspect_is_running() -> ColumnElement[bool]:
    other = aliased(Turn, name="suspect")
    open_words: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in ACTIVE_STATES]
    running = other.state == literal_column(f"'{TurnState.RUNNING}'")
    return ~select(other.id).where(other.state.in_(open_words), running, _is_suspect(other)).exists()


# A question that kills workers takes the turns beside it down with it. Which one it was nobody knows, so those that
# went down together come back one at a time, and the innocent ones are answered.
IS_SUSPECT = _is_suspect(Turn)
NO_SUSPECT_IS_RUNNING = _no_suspect_is_running()
