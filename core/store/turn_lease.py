"""The worker's part of the turn repository: claim, hold, finish, give back; and the reaper's.

A running turn belongs to one attempt of one owner. Every write repeats owner and attempt in its condition, so a
worker that was given up for dead cannot change anything, however late it wakes.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, false, not_, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningUpdate

from core.errors import LostLease
from core.store.columns import UtcDateTime
from core.store.models import Turn
from core.store.outcome import Outcome
from core.store.turn_guards import (
    FRESH,
    IS_HELD,
    IS_READY,
    IS_RUNNING,
    IS_SUSPECT,
    NO_EARLIER_TURN_IS_OPEN,
    NO_SUSPECT_IS_RUNNING,
    NOT_HANDED_OVER,
    NOW,
    TURN_ID,
    UNSYNCHRONIZED,
    WORKER_LOST,
)
from core.store.turn_rows import TurnRows
from core.store.usage import UsageRepository
from core.values import FINAL_STATES, FinishReason, TurnState

# (turn id, number of the attempt)
HeldAttempt = tuple[str, int]

_WORKER_LOST_MESSAGE = "The answer was interrupted several times and has been given up. Please ask again."

_CLAIM = (
    update(Turn)
    .where(
        Turn.id == TURN_ID,
        IS_READY,
        or_(Turn.not_before.is_(None), Turn.not_before <= NOW),
        NO_EARLIER_TURN_IS_OPEN,
        NOT_HANDED_OVER,
        or_(not_(IS_SUSPECT), NO_SUSPECT_IS_RUNNING),
    )
    .values(
        state=TurnState.RUNNING,
        attempt=Turn.attempt + 1,
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        started_at=NOW,
        first_token_at=None,
        dispatch_again_at=None,
    )
    .returning(Turn)
    .execution_options(**FRESH)
)
_HEARTBEAT = (
    update(Turn)
    .where(
        IS_RUNNING,
        Turn.lease_owner == bindparam("owner"),
        tuple_(Turn.id, Turn.attempt).in_(bindparam("held", expanding=True)),
    )
    .values(lease_until=bindparam("until"))
    .returning(Turn.id, Turn.attempt, Turn.cancel_requested)
    .execution_options(**UNSYNCHRONIZED)
)
_FIRST_TOKEN = update(Turn).where(IS_HELD).values(first_token_at=NOW).execution_options(**UNSYNCHRONIZED)
_FINISH = (
    update(Turn)
    .where(IS_HELD)
    .values(
        state=bindparam("end_state"),
        answer=bindparam("end_answer"),
        thinking=bindparam("end_thinking"),
        observations=bindparam("end_observations"),
        finish_reason=bindparam("end_reason"),
        error_code=bindparam("end_error_code"),
        error_message=bindparam("end_error_message"),
        model=bindparam("end_model"),
        prompt_tokens=bindparam("end_prompt_tokens"),
        picture_tokens=bindparam("end_picture_tokens"),
        cached_tokens=bindparam("end_cached_tokens"),
        completion_tokens=bindparam("end_completion_tokens"),
        left_out=bindparam("end_left_out"),
        boxes=bindparam("end_boxes"),
        history_hash=bindparam("end_history_hash"),
        first_token_at=case(
            (bindparam("end_first_token_at", type_=UtcDateTime()).is_(None), Turn.first_token_at),
            else_=bindparam("end_first_token_at", type_=UtcDateTime()),
        ),
        finished_at=NOW,
        lease_owner="",
        lease_until=None,
    )
    .returning(Turn)
    .execution_options(**FRESH)
)
_EXPIRED = select(Turn).where(IS_RUNNING, Turn.lease_until < NOW).order_by(Turn.lease_until).limit(bindparam("most"))


def _release(condition: ColumnElement[bool], given_up: ColumnElement[bool], **values: Any) -> ReturningUpdate[Turn]:
    """running → ready, cancelled or failed; which of them is decided inside the UPDATE, so no request is lost."""
    cancelled = Turn.cancel_requested.is_(True)
    return (
        update(Turn)
        .where(condition)
        .values(
            state=case(
                (cancelled, TurnState.CANCELLED.value), (given_up, TurnState.FAILED.value), else_=TurnState.READY.value
            ),
            finish_reason=case((cancelled, FinishReason.CANCELLED.value), else_=""),
            error_message=case((cancelled, ""), (given_up, _WORKER_LOST_MESSAGE), else_=""),
            finished_at=case((or_(cancelled, given_up), NOW), else_=None),
            dispatch_again_at=None,
            lease_owner="",
            lease_until=None,
            **values,
        )
        .returning(Turn)
        .execution_options(**FRESH)
    )


_RETRY_LATER = _release(
    IS_HELD,
    false(),
    failures=Turn.failures + 1,
    not_before=bindparam("later"),
    error_code=bindparam("new_error_code"),
)
_GIVE_BACK = _release(IS_HELD, false(), not_before=None)
_REAP = _release(
    and_(Turn.id == TURN_ID, IS_RUNNING, Turn.attempt == bindparam("held_attempt"), Turn.lease_until < NOW),
    Turn.failures + 1 >= bindparam("max_failures"),
    failures=Turn.failures + 1,
    not_before=bindparam("later"),
    error_code=WORKER_LOST,
)


class TurnLease(TurnRows):
    """All methods are one guarded UPDATE and what follows from it. Times are aware UTC."""

    def claim(self, turn_id: str, owner: str, now: datetime, lease_until: datetime) -> Turn | None:
        """ready → running with a new attempt.

        None: not ready, too early, an earlier turn comes first, a human answers in its conversation, or it is a suspect
        and another suspect runs. Of several claimers exactly one gets the turn. Its attachments are not loaded.
        """
        try:
            with self._session.connection().begin_nested():
                return self._changed(_CLAIM, turn_id=turn_id, owner=owner, until=lease_until, now=now)
        except IntegrityError:
            # The index over running turns: another turn of the conversation is being computed after all.
            return None

    def heartbeat(
        self, owner: str, held: Collection[HeldAttempt], lease_until: datetime
    ) -> tuple[set[HeldAttempt], set[HeldAttempt]]:
        """Prolong those attempts that this owner is working on. Whatever else is in its name runs out and is reaped:
        nobody would ever end it.

        Returns (attempts still held, those of them that somebody asked to stop). What is missing from the first is
        over: drop the work.
        """
        if not held:
            return set(), set()
        rows = self._session.execute(_HEARTBEAT, {"owner": owner, "held": list(held), "until": lease_until}).all()
        return {(row.id, row.attempt) for row in rows}, {(row.id, row.attempt) for row in rows if row.cancel_requested}

    def first_token(self, turn_id: str, attempt: int, owner: str, now: datetime) -> None:
        """Note when the attempt's first text appeared. Nothing happens if the lease is lost."""
        self._session.execute(_FIRST_TOKEN, {"turn_id": turn_id, "owner": owner, "held_attempt": attempt, "now": now})

    def finish(self, turn_id: str, owner: str, attempt: int, outcome: Outcome, now: datetime) -> Turn:
        """running → answered, failed or cancelled, with its usage row and its delivery row.

        Raises:
            LostLease: this attempt does not own the turn any more; nothing was written.
        """
        turn = self._changed(
            _FINISH,
            turn_id=turn_id,
            owner=owner,
            held_attempt=attempt,
            now=now,
            end_state=outcome.state,
            end_answer=outcome.answer,
            end_thinking=outcome.thinking,
            end_observations=list(outcome.observations),
            end_reason=outcome.finish_reason,
            end_error_code=outcome.error_code,
            end_error_message=outcome.error_message,
            end_model=outcome.model,
            end_prompt_tokens=outcome.prompt_tokens,
            end_picture_tokens=outcome.picture_tokens,
            end_cached_tokens=outcome.cached_tokens,
            end_completion_tokens=outcome.completion_tokens,
            end_left_out=list(outcome.left_out),
            end_boxes=list(outcome.boxes),
            end_history_hash=outcome.history_hash,
            end_first_token_at=outcome.first_token_at,
        )
        if turn is None:
            raise LostLease(f"turn {turn_id}: attempt {attempt} of {owner} is over")
        workspace_id = self._close(turn, now)
        if outcome.computed:
            UsageRepository(self._session).add(
                workspace_id=workspace_id,
                person_id=turn.person_id,
                turn_id=turn_id,
                attempt=attempt,
                model=outcome.model,
                prompt_tokens=outcome.prompt_tokens,
                picture_tokens=outcome.picture_tokens,
                cached_tokens=outcome.cached_tokens,
                completion_tokens=outcome.completion_tokens,
                engine_s=outcome.engine_s,
                now=now,
            )
        return turn

    def retry_later(
        self, turn_id: str, owner: str, attempt: int, *, now: datetime, not_before: datetime, error_code: str
    ) -> TurnState | None:
        """running → ready, to be taken again from `not_before` on; counts as a failure.

        A turn that somebody asked to stop becomes cancelled instead. Returns the state after; None: lease lost.
        """
        return self._released(
            _RETRY_LATER,
            now,
            turn_id=turn_id,
            owner=owner,
            held_attempt=attempt,
            later=not_before,
            new_error_code=error_code,
        )

    def give_back(self, turn_id: str, owner: str, attempt: int, now: datetime) -> TurnState | None:
        """running → ready without a delay and without counting a failure: the worker shuts down.

        A turn that somebody asked to stop becomes cancelled instead. Returns the state after; None: lease lost.
        """
        return self._released(_GIVE_BACK, now, turn_id=turn_id, owner=owner, held_attempt=attempt)

    def expired(self, now: datetime, limit: int) -> list[Turn]:
        """Running turns whose lease ran out, longest ago first. Attachments are not loaded."""
        return list(self._session.scalars(_EXPIRED, {"now": now, "most": limit}).all())

    def reap(
        self, turn_id: str, attempt: int, max_failures: int, now: datetime, not_before: datetime
    ) -> TurnState | None:
        """Take a turn from a worker that stopped prolonging its lease; counts as a failure.

        → ready from `not_before` on, failed at the `max_failures`-th failure, or cancelled if somebody asked for
        that. Returns the state after; None: it is not expired (any more). One call a transaction, so that reapers and
        heartbeats never wait for each other in a circle.
        """
        return self._released(
            _REAP, now, turn_id=turn_id, held_attempt=attempt, max_failures=max_failures, later=not_before
        )

    def _released(self, statement: ReturningUpdate[Turn], now: datetime, **parameters: Any) -> TurnState | None:
        turn = self._changed(statement, now=now, **parameters)
        if turn is None:
            return None
        state = TurnState(turn.state)
        if state in FINAL_STATES:
            self._close(turn, now)
        return state
