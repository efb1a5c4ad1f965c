"""The rules of review queues as queries: what has happened since a moment, in small bites and in its order.

Every rule looks at something that happens at a time and has an index over it: a turn ends, a verdict is given, a flag
is set, a label is put. So each is looked at once, however many turns there are, and what comes later than its turn is
found, too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.errors import ContentRefused
from core.policy.snapshot import snapshot_of
from core.reviewing import Rule, in_sample
from core.store.columns_sql import seconds_between
from core.store.models import Conversation, Feedback, Place, Turn
from core.store.review_tables import ReviewQueue, TurnFlag, TurnLabel
from core.store.settings import SettingsRepository
from core.store.turn_guards import in_state
from core.values import TurnState

# Rows that one bite looks at, more only where as many happened in the same microsecond.
BITE = 1000
MODERATION = "moderation"


@dataclass(frozen=True, slots=True)
class Source:
    """What a rule looks at: rows with a time, of a turn."""

    time: InstrumentedAttribute[Any]
    turn_id: InstrumentedAttribute[str]
    # The index's own condition, or what it begins with.
    base: ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Bite:
    """What a rule found in a stretch of time: (turn, why). `until`: where the next bite begins; None: at the end."""

    found: list[tuple[str, str]]
    until: datetime | None


def take_bite(session: Session, queue: ReviewQueue, after: datetime, size: int = BITE) -> Bite:
    """What the queue's rule finds in the first `size` things that happened after a moment."""
    source = _source(queue)
    later = and_(source.base, source.time > after)
    until = session.scalar(select(source.time).where(later).order_by(source.time).offset(size - 1).limit(1))
    within = later if until is None else and_(later, source.time <= until)
    seen = list(dict.fromkeys(session.scalars(select(source.turn_id).where(within).order_by(source.time))))
    if queue.kind == Rule.SAMPLE:
        seen = [turn_id for turn_id in seen if in_sample(turn_id, float(queue.parameters["percent"]))]
    # Asked by their ids, and not in one query with the time, so that no plan begins with all conversations.
    choose = _moderated if queue.kind == Rule.MODERATION else _choose
    why: dict[str, str] = {}
    for start in range(0, len(seen), BITE):
        for turn_id, detail in choose(session, queue, seen[start : start + BITE]):
            why[turn_id] = _why(queue, detail)
    return Bite([(turn_id, why[turn_id]) for turn_id in seen if turn_id in why], until)


def _source(queue: ReviewQueue) -> Source:
    match queue.kind:
        case Rule.THUMBS_DOWN:
            return Source(Feedback.created_at, Feedback.turn_id, Feedback.rating < literal(0, literal_execute=True))
        case Rule.FLAGGED:
            return Source(TurnFlag.at, TurnFlag.turn_id, true())
        case Rule.LABELLED:
            return Source(TurnLabel.at, TurnLabel.turn_id, TurnLabel.label_id == queue.parameters["label"])
        case _:
            return Source(Turn.finished_at, Turn.id, Turn.finished_at.is_not(None))


def _choose(session: Session, queue: ReviewQueue, turn_ids: list[str]) -> Iterable[tuple[str, Any]]:
    """Those of the turns that the rule is for, each with what is told of it."""
    found = session.execute(_chosen(queue).where(Turn.id.in_(turn_ids)))
    return [(turn_id, detail) for turn_id, detail in found]


def _moderated(session: Session, queue: ReviewQueue, turn_ids: list[str]) -> Iterator[tuple[str, Any]]:
    """The same: who answers at a place is said there, or decided by an admin (`core.policy`), which no query knows."""
    policies = snapshot_of(SettingsRepository(session).newest())
    statement = (
        select(Turn.id, Turn.error_code, Conversation.workspace_id, Place.external_id, Place.persona)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .outerjoin(Place, Place.id == Conversation.place_id)
        .where(Turn.id.in_(turn_ids), _in_workspace(queue))
    )
    modes: dict[tuple[str, str, str], str] = {}
    for turn_id, error_code, workspace_id, place, persona in session.execute(statement):
        at = (workspace_id, place or "", persona or "")
        if at not in modes:
            modes[at] = policies.of(at[0], at[1]).persona(at[2]).name
        if modes[at] == MODERATION or error_code == ContentRefused.code:
            yield turn_id, error_code


def _chosen(queue: ReviewQueue) -> Select[str, Any]:
    seconds = seconds_between(Turn.created_at, Turn.finished_at)
    detail: ColumnElement[Any] = literal("")
    condition: ColumnElement[bool] = true()
    match queue.kind:
        case Rule.FAILED:
            detail, condition = Turn.error_code.expression, in_state(TurnState.FAILED)
        case Rule.SLOW:
            detail, condition = seconds, seconds >= float(queue.parameters["seconds"])
        case Rule.SAMPLE:
            condition = in_state(TurnState.ANSWERED, TurnState.DELIVERED)
    statement = select(Turn.id, detail).join(Conversation, Conversation.id == Turn.conversation_id)
    return statement.where(condition, _in_workspace(queue))


def _in_workspace(queue: ReviewQueue) -> ColumnElement[bool]:
    return true() if queue.workspace_id is None else Conversation.workspace_id == queue.workspace_id


def _why(queue: ReviewQueue, detail: Any) -> str:
    match queue.kind:
        case Rule.THUMBS_DOWN:
            return "thumbs down"
        case Rule.FAILED:
            return f"failed: {detail}"[:200]
        case Rule.SLOW:
            return f"took {float(detail):.0f} s"
        case Rule.MODERATION:
            return "refused by the provider" if detail == ContentRefused.code else "asked in moderation"
        case _:
            return str(queue.kind)
