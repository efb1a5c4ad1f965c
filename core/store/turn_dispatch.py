"""Which ready turns to announce to the workers, and who announced them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    or_,
    select,
    update,
)

from core.store.models import Conversation, Place, Turn
from core.store.turn_guards import (
    IS_OPEN,
    IS_READY,
    IS_RUNNING,
    IS_SUSPECT,
    NO_EARLIER_TURN_IS_OPEN,
    NOW,
    UNSYNCHRONIZED,
)
from core.store.turn_rows import TurnRows

_NOT_ANNOUNCED = or_(Turn.dispatch_again_at.is_(None), Turn.dispatch_again_at <= NOW)
_TURN_IDS: BindParameter[list[str]] = bindparam("turn_ids", expanding=True)
_PEOPLE: BindParameter[list[str]] = bindparam("people", expanding=True)


def _dispatchable(narrowed: bool) -> Select[str]:
    # One pass over the open turns and no join: PostgreSQL has no statistics yet of a queue that has just filled up,
    # and a join that it plans for a handful of rows takes a second with thousands.
    under_way = or_(IS_RUNNING, and_(IS_READY, Turn.dispatch_again_at > NOW))
    free = and_(
        IS_READY, or_(Turn.not_before.is_(None), Turn.not_before <= NOW), _NOT_ANNOUNCED, NO_EARLIER_TURN_IS_OPEN
    )
    waiting = select(
        Turn.id,
        Turn.person_id,
        Turn.ready_at,
        case((under_way, 1), else_=0).label("under_way"),
        case((free, 1), else_=0).label("free"),
        case((IS_SUSPECT, 1), else_=0).label("suspect"),
    ).where(IS_OPEN)
    if narrowed:
        waiting = waiting.where(Turn.person_id.in_(_PEOPLE))
    # Materialized, so that what is free is looked up once and not for every use of the column.
    turns = waiting.cte("waiting").prefix_with("MATERIALIZED")
    # Of the suspects only the first is free, and only while none is under way. A few people's turns do not show that.
    its_turn = false() if narrowed else and_(turns.c.id == _first_suspect(turns), ~_suspect_under_way(turns))
    may_go = case((and_(turns.c.free == 1, or_(turns.c.suspect == 0, its_turn)), 1), else_=0)
    rank = func.sum(may_go).over(partition_by=turns.c.person_id, order_by=(turns.c.ready_at, turns.c.id))
    taken = func.sum(turns.c.under_way).over(partition_by=turns.c.person_id)
    ranked = select(turns.c.id, turns.c.ready_at, may_go.label("may_go"), (taken + rank).label("share")).subquery(
        "ranked"
    )
    return (
        select(ranked.c.id)
        .where(ranked.c.may_go == 1, ranked.c.share <= bindparam("per_person"))
        .order_by(ranked.c.share, ranked.c.ready_at, ranked.c.id)
        .limit(bindparam("most"))
    )


def _first_suspect(turns: CTE) -> ScalarSelect[str]:
    other = turns.alias("other")
    free = select(other.c.id).where(other.c.suspect == 1, other.c.free == 1)
    return free.order_by(other.c.ready_at, other.c.id).limit(1).scalar_subquery()


def _suspect_under_way(turns: CTE) -> ColumnElement[bool]:
    other = turns.alias("another")
    return select(other.c.id).where(other.c.suspect == 1, other.c.under_way == 1).exists()


_DISPATCHABLE = _dispatchable(narrowed=False)
_DISPATCHABLE_OF = _dispatchable(narrowed=True)
_WHO_WAITS_IN = (
    select(Turn.person_id)
    .where(IS_OPEN, Turn.conversation_id.in_(bindparam("conversations", expanding=True)))
    .distinct()
)

_FOLLOW_UPS = select(Turn.id, Turn.conversation_id).where(
    Turn.id.in_(_TURN_IDS), IS_READY, Turn.dispatch_again_at.is_(None), or_(Turn.seq > 1, Turn.attempt > 0)
)
_WHEREABOUTS = (
    select(Turn.id, Conversation.workspace_id, Place.external_id, Place.persona)
    .join(Conversation, Conversation.id == Turn.conversation_id)
    .outerjoin(Place, Place.id == Conversation.place_id)
    .where(Turn.id.in_(_TURN_IDS))
)
_RUNNING_OF = select(Turn.lease_owner, func.count().label("turns")).where(IS_RUNNING).group_by(Turn.lease_owner)

_MARK = (
    update(Turn)
    # No sub-select: PostgreSQL checks these conditions again on the row that another dispatcher has just committed,
    # but not those of a query that found the ids before (seen: nearly every race then announced twice).
    .where(Turn.id.in_(_TURN_IDS), IS_READY, _NOT_ANNOUNCED)
    .values(dispatch_count=Turn.dispatch_count + 1, dispatch_again_at=bindparam("again_at"))
    .returning(Turn.id)
    .execution_options(**UNSYNCHRONIZED)
)
_UNMARK = (
    update(Turn)
    .where(Turn.id.in_(_TURN_IDS), IS_READY)
    .values(dispatch_again_at=None)
    .execution_options(**UNSYNCHRONIZED)
)
_FORGET = (
    update(Turn)
    .where(IS_READY, Turn.dispatch_again_at.is_not(None))
    .values(dispatch_again_at=None)
    .returning(Turn.id)
    .execution_options(**UNSYNCHRONIZED)
)


class AskedAt(NamedTuple):
    """The workspace's id, the place's name (empty: none), and the persona that was chosen there."""

    workspace_id: str
    place: str
    persona: str


class TurnDispatch(TurnRows):
    """The dispatcher's part of the turn repository."""

    def dispatchable(
        self,
        now: datetime,
        limit: int,
        per_person: int,
        *,
        people: Collection[str] = (),
        conversations: Collection[str] = (),
    ) -> list[str]:
        """Ids of the turns to announce now, fairest first.

        A turn qualifies if it is ready, its back-off and its last announcement are over, no earlier turn of its
        conversation is open, and its person has fewer than `per_person` turns announced or running. Among the
        qualified, each person's first comes before anybody's second; the longest waiting goes first. Of the suspects
        only the longest waiting one qualifies, and only while none is announced or running.

        With `people` or `conversations` (ids) it looks only at the turns of those people and of those who wait in
        those conversations: all that can have become dispatchable when turns of theirs were added or finished, but
        for suspects, which the look at everybody finds. That takes the same time however long the queue is.
        """
        parameters: dict[str, object] = {"now": now, "most": limit, "per_person": per_person}
        if not people and not conversations:
            return list(self._session.scalars(_DISPATCHABLE, parameters).all())
        near = set(people)
        if conversations:
            near.update(self._session.scalars(_WHO_WAITS_IN, {"conversations": list(conversations)}).all())
        parameters["people"] = sorted(near)
        return list(self._session.scalars(_DISPATCHABLE_OF, parameters).all())

    def follow_ups(self, turn_ids: Sequence[str]) -> dict[str, str]:
        """Of these turns those whose conversation a worker may remember, with the conversation's id.

        One that was announced and not taken is none any more: whoever remembers it had its time.
        """
        if not turn_ids:
            return {}
        found = self._session.execute(_FOLLOW_UPS, {"turn_ids": list(turn_ids)}).all()
        return {row.id: row.conversation_id for row in found}

    def asked_at(self, turn_ids: Sequence[str]) -> dict[str, AskedAt]:
        """Where each of these turns was asked."""
        rows = self._session.execute(_WHEREABOUTS, {"turn_ids": list(turn_ids)}).all()
        return {turn_id: AskedAt(workspace, place or "", persona or "") for turn_id, workspace, place, persona in rows}

    def running_of(self) -> dict[str, int]:
        """How many turns each owner is answering."""
        return {row.lease_owner: row.turns for row in self._session.execute(_RUNNING_OF).all()}

    def mark_dispatched(self, turn_ids: Sequence[str], now: datetime, again_at: datetime) -> list[str]:
        """Take these turns for announcing; the ids that this caller won, in the given order.

        Of several dispatchers at once, exactly one wins each id; nobody wins it again before `again_at`.
        """
        if not turn_ids:
            return []
        won = set(self._session.scalars(_MARK, {"turn_ids": list(turn_ids), "now": now, "again_at": again_at}).all())
        return [turn_id for turn_id in turn_ids if turn_id in won]

    def undispatch(self, turn_ids: Sequence[str]) -> None:
        """Announcing failed: let them be announced again at once."""
        if turn_ids:
            self._session.execute(_UNMARK, {"turn_ids": list(turn_ids)})

    def forget_dispatches(self) -> int:
        """Redis lost its messages: every ready turn may be announced again at once. The number of turns freed."""
        return len(self._session.scalars(_FORGET).all())
