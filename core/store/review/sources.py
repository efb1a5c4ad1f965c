"""Where the list finds the conversations that it has to look at: in each index that a filter names, and in its order.

A source brings more than what is wanted, and never less; the one that brings the least is read, and what it brings is
looked at (`inbox.py`, `search.py`). So a list takes as long as what is on its page, not as what is in the database.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Executable, Select, TextClause, func, literal_column, select, text, true, tuple_
from sqlalchemy.orm import Session

from core.reviewing import ReviewState
from core.store.ids_sql import is_one_of, is_sqlite, values_of
from core.store.models import ASSIGNED, HANDED_OVER, IS_SLOW, RARE_FACTS, REVIEWED, Conversation, Feedback, Turn
from core.store.review.facts import PACES, PICTURES, RARE, SLOW, STATES, THUMBS, has_model, slowness_of
from core.store.review.filters import NOBODY, Wanted
from core.store.review.people import MANY, People
from core.store.review.scope import ReadScope
from core.store.review_tables import TurnFlag, TurnLabel
from core.store.turn_guards import IS_OPEN

Cursor = tuple[datetime, str]
# An index is read in order for so many values side by side, and no more.
VALUES = 200
# As `select distinct`, but from one value to the next instead of through all rows.
_MODELS = text(
    "WITH RECURSIVE seen (said) AS (SELECT min(models) FROM conversations UNION ALL "
    "SELECT (SELECT min(c.models) FROM conversations c WHERE c.models > seen.said) FROM seen "
    "WHERE seen.said IS NOT NULL) SELECT said FROM seen WHERE said IS NOT NULL LIMIT :most"
)
TRUE = true()
# A column with an index, the values to read it for, and the condition of the index.
Part = tuple[Any, Sequence[str] | Sequence[int], ColumnElement[bool] | TextClause]


class Source(Protocol):
    """Conversations in the order of the list."""

    def count(self) -> int:
        """How many there are, up to `MANY` and one."""

    def read(self, before: Cursor | None, limit: int) -> list[Cursor]:
        """The next ones behind `before`."""


class Everything:
    """All conversations that meet `also`, conditions on their rows."""

    def __init__(self, session: Session, also: Sequence[ColumnElement[bool]]) -> None:
        self._session = session
        self._also = also

    def count(self) -> int:
        """Not counted: no source has more."""
        return MANY + 1

    def read(self, before: Cursor | None, limit: int) -> list[Cursor]:
        """The next ones."""
        return [(at, one) for at, one in self._session.execute(_in_order(before, limit).where(*self._also))]


class Ranges:
    """Those that have one of some values in one of some columns, each with an index in the order of the list.

    `within` are conditions on `updated_at`, `also` conditions on other columns, which no index is to be looked for.
    """

    def __init__(
        self,
        session: Session,
        parts: Sequence[Part],
        within: Sequence[ColumnElement[bool]],
        also: Sequence[ColumnElement[bool]],
    ) -> None:
        self._session = session
        self._parts = [part for part in parts if part[1]]
        self._within = within
        self._also = also

    def count(self) -> int:
        """How many, those that are in two of the parts twice."""
        some = [
            select(literal_column("1")).where(column.in_(values), indexed, *self._within).limit(MANY + 1).subquery()
            for column, values, indexed in self._parts
        ]
        return sum(self._session.scalar(select(func.count()).select_from(one)) or 0 for one in some)

    def read(self, before: Cursor | None, limit: int) -> list[Cursor]:
        """The next ones, each once."""
        found: set[Cursor] = set()
        for column, values, indexed in self._parts:
            one = _in_order(before, limit).where(indexed, *self._within, *self._also)
            statement = self._side_by_side(column, values, one)
            found |= {(at, one) for at, one in self._session.execute(statement.limit(limit))}
        return sorted(found, reverse=True)[:limit]

    def _side_by_side(
        self, column: Any, values: Sequence[str] | Sequence[int], one: Select[datetime, str]
    ) -> Select[datetime, str]:
        if len(values) == 1:
            return one.where(column == values[0])
        each = values_of(self._session, values)
        one = one.where(column == each.c.value)
        if not is_sqlite(self._session):
            mine = one.correlate(each).lateral()
            return (
                select(mine.c.updated_at, mine.c.id)
                .select_from(each)
                .join(mine, literal_column("true"))
                .order_by(mine.c.updated_at.desc(), mine.c.id.desc())
            )
        there = Conversation.__table__.alias("there")
        ids = one.with_only_columns(Conversation.id).correlate(each).scalar_subquery()
        # The values first: `cross join` is how SQLite is told so.
        return (
            select(there.c.updated_at, there.c.id)
            .select_from(each.join(there, there.c.id.in_(ids)))
            .order_by(there.c.updated_at.desc(), there.c.id.desc())
        )


class Few:
    """A handful of conversations, by their ids."""

    def __init__(self, session: Session, ids: Sequence[str], within: Sequence[ColumnElement[bool]]) -> None:
        these = is_one_of(session, Conversation.id, ids)
        # Sorted here: with an order and a limit PostgreSQL might walk through all conversations instead.
        found = session.execute(select(Conversation.updated_at, Conversation.id).where(these, *within)) if ids else ()
        self._all: list[Cursor] = sorted(((at, one) for at, one in found), reverse=True)

    def count(self) -> int:
        """How many."""
        return len(self._all)

    def read(self, before: Cursor | None, limit: int) -> list[Cursor]:
        """The next ones."""
        return [one for one in self._all if before is None or one < before][:limit]


def best_source(session: Session, scope: ReadScope, wanted: Wanted, people: People, *, dated: bool = True) -> Source:
    """The source that has the fewest. `dated`: the dates that are wanted are those of the last change."""
    within = list(wanted.changed()) if dated else []
    named = _Named.by(session, wanted)
    also = list(_on_rows(scope, wanted, named))
    some: list[Source] = []
    if wanted.state == "open":
        statement = select(Turn.conversation_id).where(IS_OPEN).distinct().limit(MANY + 1)
        if len(ids := list(session.scalars(statement))) <= MANY:
            some.append(Few(session, ids, within))
    if asked := list(wanted.asked()):
        # Days are few turns, which an index finds; of a long time there are too many, and that is soon seen.
        statement = select(Turn.conversation_id).where(*asked).distinct().limit(MANY + 1)
        if len(ids := list(session.scalars(statement))) <= MANY:
            some.append(Few(session, ids, within))
    if wanted.human:
        # An index of these, of which there are few.
        handed_over = select(Conversation.id).where(text(HANDED_OVER), *wanted.of_conversation())
        if len(ids := list(session.scalars(handed_over.limit(MANY + 1)))) <= MANY:
            some.append(Few(session, ids, within))
    if named.models is not None:
        # Of a model that answered in more conversations than that, the next one in the list is never far.
        answered = select(Conversation.id).where(Conversation.models.in_(named.models)).limit(MANY + 1)
        if len(ids := list(session.scalars(answered))) <= MANY:
            some.append(Few(session, ids, within))
    for remarked in _remarked(wanted):
        if len(ids := list(session.scalars(remarked.distinct().limit(MANY + 1)))) <= MANY:
            some.append(Few(session, ids, within))
    if wanted.person and (asked_in := people.conversations(session)) is not None:
        some.append(Few(session, asked_in, within))
    if wanted.feedback and len(conditions := list(wanted.of_turn(people.asked(session)))) > 1:
        # A conversation with such feedback may be long, and the rest be met by its other turns. Looked up from the
        # feedback, of which there is little.
        turn = select(Turn.conversation_id).where(Turn.id == Feedback.turn_id, *conditions).correlate(Feedback)
        rating = 1 if wanted.feedback == "good" else -1
        judged = select(turn.scalar_subquery()).where(Feedback.rating == rating).distinct().limit(MANY + 1)
        if len(ids := [one for one in session.scalars(judged) if one is not None]) < MANY:
            some.append(Few(session, ids, within))
    for parts in _indexes(scope, wanted, named):
        some.append(Ranges(session, parts, within, also))
    if len(some) < 2:
        return some[0] if some else Everything(session, [*within, *also])
    return min(some, key=lambda source: source.count())


@dataclass(frozen=True)
class _Named:
    """Values of columns that filters mean; None: too many, or no such filter."""

    models: list[str] | None
    workspaces: list[str] | None
    places: list[str] | None

    @classmethod
    def by(cls, session: Session, wanted: Wanted) -> "_Named":
        """Look them up."""

        def few(statement: Executable) -> list[str] | None:
            found = list(session.scalars(statement, {"most": VALUES + 1}))
            return found if len(found) <= VALUES else None

        said = few(_MODELS) if wanted.model else None
        return cls(
            None if said is None else [one for one in said if has_model(one, wanted.model)],
            few(wanted.workspaces_of_platform().limit(VALUES + 1)) if wanted.platform else None,
            few(wanted.places_of_mode().limit(VALUES + 1)) if wanted.mode else None,
        )


def _remarked(wanted: Wanted) -> Iterator[Select[str]]:
    """Conversations of turns about which admins said something."""
    if wanted.flagged:
        yield select(Turn.conversation_id).join(TurnFlag, TurnFlag.turn_id == Turn.id)
    if wanted.label:
        labelled = TurnLabel.label_id == wanted.label
        yield select(Turn.conversation_id).join(TurnLabel, TurnLabel.turn_id == Turn.id).where(labelled)


def _indexes(scope: ReadScope, wanted: Wanted, named: _Named) -> Iterator[list[Part]]:
    """The indexes that the filters name, each with the values to read it for."""
    # The conditions of partial indexes stand beside them.
    if (bits := _bits(wanted)) & RARE:
        every = 2 * max(THUMBS.values())
        yield [(Conversation.facts, [facts for facts in range(every) if facts & bits == bits], text(RARE_FACTS))]
    if wanted.slow_s and (slowness := slowness_of(wanted.slow_s)) >= SLOW:
        yield [(Conversation.slowness, list(range(slowness, len(PACES) + 1)), text(IS_SLOW))]
    if wanted.assigned not in ("", NOBODY):
        yield [(Conversation.assigned_to, [wanted.assigned], text(ASSIGNED))]
    if wanted.review not in ("", ReviewState.NEW):
        yield [(Conversation.review_state, [wanted.review], text(REVIEWED))]
    if wanted.place:
        yield [(Conversation.place_id, [wanted.place], TRUE)]
    if wanted.workspace:
        yield [(Conversation.workspace_id, [wanted.workspace], TRUE)]
    if not scope.everywhere and len(scope.workspaces) + len(scope.places) <= VALUES:
        yield [
            (Conversation.workspace_id, sorted(scope.workspaces), TRUE),
            (Conversation.place_id, sorted(scope.places), TRUE),
        ]
    if named.places is not None:
        yield [(Conversation.place_id, named.places, TRUE)]
    if named.workspaces is not None:
        yield [(Conversation.workspace_id, named.workspaces, TRUE)]


def _on_rows(scope: ReadScope, wanted: Wanted, named: _Named) -> Iterator[ColumnElement[bool]]:
    """What the row of a conversation tells by itself, said so that no index is used for it."""
    nothing: ColumnElement[str] = literal_column("''")
    workspace, place = nothing.concat(Conversation.workspace_id), nothing.concat(Conversation.place_id)
    if not scope.everywhere:
        yield scope.allows(workspace, place)
    if wanted.review:
        yield nothing.concat(Conversation.review_state) == wanted.review
    if wanted.workspace:
        yield workspace == wanted.workspace
    if wanted.place:
        yield place == wanted.place
    if named.workspaces is not None:
        yield workspace.in_(named.workspaces)
    if named.places is not None:
        yield place.in_(named.places)
    if named.models is not None:
        yield nothing.concat(Conversation.models).in_(named.models)
    if bits := _bits(wanted):
        yield Conversation.facts.op("&")(bits) == bits
    if wanted.slow_s and (slowness := slowness_of(wanted.slow_s)):
        yield Conversation.slowness + 0 >= slowness


def _bits(wanted: Wanted) -> int:
    bits = STATES.get(wanted.state, 0) | (PICTURES if wanted.pictures else 0)
    return bits | (THUMBS[wanted.feedback] if wanted.feedback else 0)


def _in_order(before: Cursor | None, limit: int) -> Select[datetime, str]:
    """The next rows of the list, of whatever conditions are added."""
    statement = select(Conversation.updated_at, Conversation.id)
    if before is not None:
        statement = statement.where(tuple_(Conversation.updated_at, Conversation.id) < tuple_(*before))
    return statement.order_by(Conversation.updated_at.desc(), Conversation.id.desc()).limit(limit)
