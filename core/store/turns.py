"""Turns: questions and their answers, and every change of their state.

    gathering → ready → running → answered → delivered
     ↑  ↘       ↙ ↑________|   ↘ failed, cancelled → (reopen) ready
     |  handed_over → answered (by a human), ready (given back)
     |____________(recall)_|

Intake and the adapters use what stands here, the dispatcher `turn_dispatch.py`, the worker and the reaper
`turn_lease.py`, whoever follows turns `turn_watch.py`, stateless clients `turn_history.py`, whoever hands over to a
human `turn_handover.py`, questions in several messages `turn_gathering.py`, *try again* `turn_reopening.py`. Each
change is one UPDATE that repeats in its condition what it assumes; who loses a race changes nothing.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, case, func, insert, select, update
from sqlalchemy.orm.attributes import set_committed_value

from core.store.models import Attachment, Turn, table_of
from core.store.turn_dispatch import TurnDispatch
from core.store.turn_gathering import TurnGathering
from core.store.turn_guards import (
    FRESH,
    IS_GATHERING,
    IS_OPEN,
    IS_READY,
    IS_WAITING,
    NOW,
    TAKES_FILES,
    TURN_ID,
    UNSYNCHRONIZED,
    in_state,
)
from core.store.turn_handover import TurnHandover
from core.store.turn_history import TurnHistory
from core.store.turn_lease import TurnLease
from core.store.turn_reopening import TurnReopening
from core.store.turn_watch import TurnWatch
from core.values import ACTIVE_STATES, FinishReason, TurnState, new_id

_TURN_IDS: BindParameter[list[str]] = bindparam("turn_ids", expanding=True)
# Past the session, whose bookkeeping costs several times the insert, in every acknowledgement.
_ADD = insert(table_of(Turn))
_AS_IT_IS = select(Turn).execution_options(populate_existing=True)
_BY_IDS = _AS_IT_IS.where(Turn.id.in_(_TURN_IDS))
_OF_CONVERSATION = (
    _AS_IT_IS.where(Turn.conversation_id == bindparam("conversation_id"), Turn.seq < bindparam("before_seq"))
    .order_by(Turn.seq.desc())
    .limit(bindparam("most"))
)
_NO_LIMIT = 2**31 - 1
_FILES = (
    select(Attachment)
    .where(Attachment.turn_id.in_(_TURN_IDS))
    .order_by(Attachment.turn_id, Attachment.position)
    .execution_options(populate_existing=True)
)
_COUNT = select(func.count()).select_from(Turn)
_COUNT_OPEN = _COUNT.where(IS_OPEN)
_COUNT_OPEN_OF = _COUNT.where(IS_OPEN, Turn.person_id == bindparam("person_id"))
_COUNTS_OPEN = select(_COUNT_OPEN_OF.scalar_subquery(), _COUNT_OPEN.scalar_subquery())
_COUNTS = select(Turn.state, func.count()).where(IS_OPEN).group_by(Turn.state)
_OLDEST_READY = select(func.min(Turn.ready_at)).where(IS_READY)
_MAKE_READY = (
    update(Turn)
    .where(Turn.id == TURN_ID, IS_GATHERING)
    .values(state=TurnState.READY, ready_at=NOW, not_before=None)
    .returning(Turn)
    .execution_options(**FRESH)
)
_CANCEL = (
    update(Turn)
    .where(Turn.id == TURN_ID, IS_OPEN)
    .values(
        # Decided inside the UPDATE: a worker may take or return the turn at this very moment.
        state=case((IS_WAITING, TurnState.CANCELLED.value), else_=Turn.state),
        finish_reason=case((IS_WAITING, FinishReason.CANCELLED.value), else_=Turn.finish_reason),
        finished_at=case((IS_WAITING, NOW), else_=Turn.finished_at),
        cancel_requested=True,
    )
    .returning(Turn)
    .execution_options(**FRESH)
)
# PostgreSQL; SQLite has one writer anyway.
_HOLD_FOR_FILES = select(Turn.state).where(Turn.id == TURN_ID, TAKES_FILES).with_for_update()
_REPLACE_QUESTION = (
    update(Turn)
    .where(Turn.id == TURN_ID, IS_OPEN, in_state(TurnState.GATHERING, TurnState.READY))
    .values(question=bindparam("new_question"))
    .returning(Turn)
    .execution_options(**FRESH)
)
_DELIVERED = (
    update(Turn)
    .where(
        Turn.id.in_(_TURN_IDS),
        in_state(TurnState.ANSWERED, TurnState.FAILED, TurnState.CANCELLED),
        Turn.delivered_at.is_(None),
    )
    .values(state=case((in_state(TurnState.ANSWERED), TurnState.DELIVERED.value), else_=Turn.state), delivered_at=NOW)
    .execution_options(**UNSYNCHRONIZED)
)


class TurnRepository(TurnDispatch, TurnGathering, TurnHandover, TurnHistory, TurnLease, TurnReopening, TurnWatch):
    """Times are aware UTC. Returned turns stay readable after the block."""

    def add(
        self,
        conversation_id: str,
        person_id: str,
        question: str,
        *,
        state: TurnState = TurnState.READY,
        options: dict[str, Any] | None = None,
        not_before: datetime | None = None,
        now: datetime,
        turn_id: str | None = None,
    ) -> Turn:
        """Add the next turn of a conversation, READY or GATHERING; HANDED_OVER where a human answers.

        `not_before`: until then a GATHERING one waits for what may still belong to it. Parallel adds queue up at the
        conversation's row. `turn_id`: an id that the caller made. Returned is what was written, without defaults.

        Raises:
            NotFound: no such conversation.
        """
        seqs = self._take_seqs(conversation_id, 1, now)
        if seqs.handed_over:
            state = TurnState.HANDED_OVER
        row = {
            "id": turn_id or new_id(),
            "conversation_id": conversation_id,
            "person_id": person_id,
            "seq": seqs.first,
            "state": state,
            "question": question,
            "options": options or {},
            "not_before": not_before if state is TurnState.GATHERING else None,
            "created_at": now,
            "ready_at": now if state is TurnState.READY else None,
            "finished_at": now if seqs.handed_over else None,
        }
        self._session.execute(_ADD, row)
        return Turn(**row)

    def get(self, turn_id: str) -> Turn | None:
        """One turn with its attachments, as it is now."""
        return self.by_ids([turn_id]).get(turn_id)

    def by_ids(self, turn_ids: Collection[str]) -> dict[str, Turn]:
        """Those of the turns that exist, with their attachments."""
        if not turn_ids:
            return {}
        rows = self._session.scalars(_BY_IDS, {"turn_ids": list(turn_ids)}).all()
        return {turn.id: turn for turn in self._with_files(list(rows))}

    def of_conversation(
        self, conversation_id: str, *, before_seq: int | None = None, limit: int | None = None
    ) -> list[Turn]:
        """The newest `limit` turns (all without it) before `before_seq`, in order, with their attachments."""
        parameters = {
            "conversation_id": conversation_id,
            "before_seq": _NO_LIMIT if before_seq is None else before_seq,
            "most": _NO_LIMIT if limit is None else limit,
        }
        return self._with_files(list(reversed(self._session.scalars(_OF_CONVERSATION, parameters).all())))

    def counts_open(self, person_id: str) -> tuple[int, int]:
        """Unanswered turns of one person, and of everybody."""
        own, everybody = self._session.execute(_COUNTS_OPEN, {"person_id": person_id}).one()
        return own, everybody

    def counts_by_state(self) -> dict[str, int]:
        """How many turns are in each of the states that are not final."""
        rows = self._session.execute(_COUNTS).all()
        return {state.value: 0 for state in ACTIVE_STATES} | {row[0]: row[1] for row in rows}

    def oldest_ready_age(self, now: datetime) -> float:
        """Seconds that the longest waiting ready turn has been waiting; 0 if none is."""
        oldest = self._session.scalar(_OLDEST_READY)
        return max((now - oldest).total_seconds(), 0.0) if oldest is not None else 0.0

    def make_ready(self, turn_id: str, now: datetime) -> bool:
        """gathering → ready: all its files are here or refused."""
        return self._changed(_MAKE_READY, turn_id=turn_id, now=now) is not None

    def hold_for_files(self, turn_id: str) -> bool:
        """Keep others from changing its files until the commit; False: it takes none (any more), neither for a model
        nor for a human to see."""
        return self._session.scalar(_HOLD_FOR_FILES, {"turn_id": turn_id}) is not None

    def replace_question(self, turn_id: str, question: str) -> bool:
        """The person edited it; False: its answer has begun, or there is no such turn."""
        return self._changed(_REPLACE_QUESTION, turn_id=turn_id, new_question=question) is not None

    def request_cancel(self, turn_id: str, now: datetime) -> TurnState | None:
        """Stop a turn: at once where it waits, through its worker where it runs; a final state stays.

        Returns the state after; None: no such turn.
        """
        turn = self._changed(_CANCEL, turn_id=turn_id, now=now)
        if turn is None:
            state = self._session.scalar(select(Turn.state).where(Turn.id == turn_id))
            return TurnState(state) if state is not None else None
        state = TurnState(turn.state)
        if state is TurnState.CANCELLED:
            self._close(turn, now)
        return state

    def mark_delivered(self, turn_ids: Collection[str], now: datetime) -> None:
        """Platforms show the ends of these turns: answered → delivered; of others only the time is noted, once."""
        if turn_ids:
            self._session.execute(_DELIVERED, {"turn_ids": list(turn_ids), "now": now})

    def _with_files(self, turns: list[Turn]) -> list[Turn]:
        files: dict[str, list[Attachment]] = {turn.id: [] for turn in turns}
        if files:
            for attachment in self._session.scalars(_FILES, {"turn_ids": list(files)}):
                files[attachment.turn_id].append(attachment)
        for turn in turns:
            set_committed_value(turn, "attachments", [file for file in files[turn.id] if not file.of_answer])
            set_committed_value(turn, "answer_pictures", [file for file in files[turn.id] if file.of_answer])
        return turns
