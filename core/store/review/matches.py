"""The turns that have all words of a search, latest first, in batches: each database from its own index of words."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, bindparam, column, func, literal_column, select, table, text
from sqlalchemy.orm import Session

from core.store.ids_sql import is_one_of, is_sqlite
from core.store.models import Turn
from core.store.words import Sought

_AT = table("turn_words_at", column("id"), column("turn_id"))
_FTS = table("turn_words", column("rowid"), column("words"))
_WORDS = table("turn_words", column("turn_id"), column("words"))
# The index's own expression (migrations/versions/0018_fast_lists.py): beside its words, a turn has `#` and as many
# digits of its id, which begins with the time. So many digits are some five hours.
DIGITS = 6
_IN_TIME = literal_column("(words || array_to_tsvector(ARRAY['#' || left(turn_id, 6)]))")
# Digits of the stretch of time that is looked through: five hours, three days, fifty days. Then all there is.
_STRETCHES = (6, 5, 4)
# A stretch that has fewer hits than this is followed by a longer one.
_SPARSE = 200


class Matches(Protocol):
    """Ids of turns, latest first."""

    def begin(self, before: str | None) -> None:
        """Begin behind this turn, or at the latest one."""

    def read(self, limit: int) -> list[str]:
        """The next ones, at most `limit`; none: there are no more."""

    def among(self, conversations: Sequence[str], before: str) -> list[str]:
        """All of these conversations behind the turn `before`."""


def matches_of(session: Session, sought: Sequence[Sought]) -> Matches:
    """The matches of a search that has words."""
    return SqliteMatches(session, sought) if is_sqlite(session) else PostgresMatches(session, sought)


class SqliteMatches:
    """FTS5 walks through its rows from the last one on."""

    def __init__(self, session: Session, sought: Sequence[Sought]) -> None:
        self._session = session
        self._sought = sought
        # Words are letters and digits alone, so nothing in them has a meaning to the database.
        self._query = " AND ".join(f'"{word}"{"*" if may_go_on else ""}' for word, may_go_on in sought)
        self._cut: int | None = None

    def begin(self, before: str | None) -> None:
        """Begin behind this turn, or at the latest one."""
        self._cut = None if before is None else self._at(before)

    def read(self, limit: int) -> list[str]:
        """The next ones."""
        statement = (
            select(_AT.c.id, _AT.c.turn_id)
            .select_from(_FTS.join(_AT, _AT.c.id == _FTS.c.rowid))
            .where(text("turn_words MATCH :sought").bindparams(sought=self._query))
            .order_by(_FTS.c.rowid.desc())
            .limit(limit)
        )
        if self._cut is not None:
            statement = statement.where(_FTS.c.rowid < self._cut)
        rows = self._session.execute(statement).all()
        if rows:
            self._cut = rows[-1].id
        return [row.turn_id for row in rows]

    def among(self, conversations: Sequence[str], before: str) -> list[str]:
        """All of these conversations behind the turn."""
        said = literal_column("' '").concat(_FTS.c.words).concat(literal_column("' '"))
        has = [func.instr(said, f" {word}" if may_go_on else f" {word} ") > 0 for word, may_go_on in self._sought]
        statement = (
            select(_AT.c.turn_id)
            .select_from(Turn)
            .join(_AT, _AT.c.turn_id == Turn.id)
            .join(_FTS, _FTS.c.rowid == _AT.c.id)
            .where(is_one_of(self._session, Turn.conversation_id, conversations), _AT.c.id < self._at(before), *has)
            .order_by(_AT.c.id.desc())
        )
        return list(self._session.scalars(statement))

    def _at(self, turn_id: str) -> int:
        # Nothing is behind a turn that is gone.
        return self._session.scalar(select(_AT.c.id).where(_AT.c.turn_id == turn_id)) or 0


class PostgresMatches:
    """GIN knows no order, so the latest stretch of time is looked through first, then longer and longer ones."""

    def __init__(self, session: Session, sought: Sequence[Sought]) -> None:
        self._session = session
        self._query = " & ".join(f"'{word}'{':*' if may_go_on else ''}" for word, may_go_on in sought)
        # Ids of digits come before it.
        self._cut = "g"
        self._level = 0
        self._stretch: str | None = None
        self._hits = 0

    def begin(self, before: str | None) -> None:
        """Begin behind this turn, or at the latest one."""
        self._cut = before or "g"

    def read(self, limit: int) -> list[str]:
        """The next ones."""
        while True:
            if self._stretch is None and not self._next_stretch():
                return []
            # The order is of an expression, so that nobody walks through all turns from the latest one on.
            ids = list(self._session.scalars(self._statement().limit(limit)))
            self._hits += len(ids)
            if ids:
                self._cut = ids[-1]
            if len(ids) == limit:
                return ids
            # This stretch is read to its end.
            self._cut = self._stretch or ""
            self._stretch = None
            if ids:
                return ids

    def among(self, conversations: Sequence[str], before: str) -> list[str]:
        """All of these conversations behind the turn."""
        matches = literal_column("turn_words.words").op("@@")(_tsquery(self._query))
        statement = (
            select(Turn.id)
            .join(_WORDS, _WORDS.c.turn_id == Turn.id)
            .where(is_one_of(self._session, Turn.conversation_id, conversations), Turn.id < before, matches)
        )
        return sorted(self._session.scalars(statement), reverse=True)

    def _next_stretch(self) -> bool:
        """Go on to the stretch that ends at the cut; False: nothing is there."""
        latest = self._session.scalar(select(func.max(_WORDS.c.turn_id)).where(_WORDS.c.turn_id < self._cut))
        if latest is None:
            return False
        if self._hits < _SPARSE:
            self._level += 1
        self._hits = 0
        self._stretch = latest[: _STRETCHES[self._level - 1]] if self._level <= len(_STRETCHES) else ""
        return True

    def _statement(self) -> Any:
        query = self._query + (f" & '#{self._stretch}':*" if self._stretch else "")
        return (
            select(_WORDS.c.turn_id)
            .where(_IN_TIME.op("@@")(_tsquery(query)), _WORDS.c.turn_id < self._cut)
            .order_by(_WORDS.c.turn_id.concat(literal_column("''")).desc())
        )


def _tsquery(query: str) -> ColumnElement[Any]:
    return text("CAST(:tsquery AS tsquery)").bindparams(bindparam("tsquery", query))  # type: ignore[return-value]
