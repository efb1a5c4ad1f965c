"""Finding turns by words of their question or answer, latest first (`core/store/words.py`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, cast, column, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.orm import Session

from core.store.models import Conversation, Person, Place, Turn, Workspace
from core.store.review.filters import Wanted
from core.store.review.names import shown_name
from core.store.review.scope import ReadScope
from core.store.words import Sought

# So many hits PostgreSQL looks up by its index of words. Where there are more, they are dense enough to walk through
# the turns from the latest one on; left alone, it walks through all of them for a word that hardly any has.
FEW = 2000
_AT = table("turn_words_at", column("id"), column("turn_id"))
_FTS = table("turn_words", column("rowid"))
_WORDS = table("turn_words", column("turn_id"), column("words", TSVECTOR))


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn that was found, and where it stands."""

    turn: Turn
    conversation: Conversation
    workspace: Workspace
    place: Place | None
    person: str


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of what was found; `next` is the turn behind which the following page begins, None at the end."""

    rows: list[Hit]
    next: str | None


def search_turns(
    session: Session,
    scope: ReadScope,
    sought: Sequence[Sought],
    wanted: Wanted,
    *,
    limit: int,
    before: str | None,
    few: int = FEW,
) -> Hits:
    """Turns that have all the words, may be read and are wanted; nothing without words.

    PostgreSQL takes one way to at most `few` hits and another one to more.
    """
    if not sought:
        return Hits([], None)
    statement = (
        select(Turn, Conversation, Workspace, Place, Person)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .join(Workspace, Workspace.id == Conversation.workspace_id)
        .join(Person, Person.id == Turn.person_id)
        .outerjoin(Place, Place.id == Conversation.place_id)
        .where(scope.allows(), wanted.turns())
        .limit(limit + 1)
    )
    if session.get_bind().dialect.name == "sqlite":
        order: ColumnElement[Any] = _FTS.c.rowid
        statement = statement.join(_AT, _AT.c.turn_id == Turn.id).join(_FTS, _FTS.c.rowid == _AT.c.id)
        statement = statement.where(text("turn_words MATCH :sought").bindparams(sought=_fts5(sought)))
        if before is not None:
            at = select(_AT.c.id).where(_AT.c.turn_id == before).scalar_subquery()
            statement = statement.where(order < at)
    else:
        order = Turn.id.expression
        matches = _WORDS.c.words.op("@@")(cast(_tsquery(sought), TSQUERY))
        known = session.scalars(select(_WORDS.c.turn_id).where(matches).limit(few + 1)).all()
        if len(known) <= few:
            statement = statement.where(Turn.id.in_(known))
        else:
            order = _WORDS.c.turn_id
            statement = statement.join(_WORDS, _WORDS.c.turn_id == Turn.id).where(matches)
        if before is not None:
            statement = statement.where(order < before)
    found = session.execute(statement.order_by(order.desc())).all()
    rows = [
        Hit(turn, conversation, workspace, place, shown_name(person))
        for turn, conversation, workspace, place, person in found[:limit]
    ]
    return Hits(rows, rows[-1].turn.id if len(found) > limit else None)


def _fts5(sought: Sequence[Sought]) -> str:
    # Words are letters and digits alone, so nothing in them has a meaning to the database.
    return " AND ".join(f'"{word}"{"*" if may_go_on else ""}' for word, may_go_on in sought)


def _tsquery(sought: Sequence[Sought]) -> str:
    return " & ".join(f"'{word}'{':*' if may_go_on else ''}" for word, may_go_on in sought)
