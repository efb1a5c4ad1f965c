"""The turns that have all words of a search, latest first, in batches.

The latest turns are looked at one by one. Where hits are dense among them that goes on, since an index brings all of
its hits at once before it can bring the latest. Where they are sparse, so are they in the index.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, bindparam, cast, column, func, literal_column, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from core.store.ids_sql import is_one_of, is_sqlite
from core.store.models import Turn
from core.store.words import Sought

# So many turns are looked at one by one, and go on to be while so many of them are hits: fewer where the index is slow
# to bring more.
LATEST = 1000
DENSE_SQLITE, DENSE_POSTGRESQL = 8, 25
_AT = table("turn_words_at", column("id"), column("turn_id"))
_FTS = table("turn_words", column("rowid"))
# What FTS5 keeps as it came, which is a plain table: https://www.sqlite.org/fts5.html#fts5_data_structures
_SAID = table("turn_words_content", column("id"), column("c0"))
_WORDS = table("turn_words", column("turn_id"), column("words"))
# Ids are hexadecimal, so all of them come before it.
_END = "g"
# The index's own expression (migrations/versions/0018_fast_lists.py): beside its words, a turn has `#` and the first
# digits of its id, which begins with the time. Six digits are some five hours.
_IN_TIME: ColumnElement[Any] = literal_column("(words || array_to_tsvector(ARRAY['#' || left(turn_id, 6)]))")
# Digits of the stretch of time that is looked through: five hours, three days, fifty days. Then all there is.
_STRETCHES = (6, 5, 4)
# A stretch that has fewer hits than this is followed by a longer one.
_SPARSE = 200

# Where a turn stands in the order of hits, and its id.
Match = tuple[Any, str]


class Matches(Protocol):
    """Hits of a search, latest first. `sparse`: hardly any turn is one, as far as has been read. `looked_at`: so many
    turns were looked at one by one."""

    sparse: bool
    looked_at: int

    def read(self, before: str | None) -> Iterator[str]:
        """Ids of the turns behind that turn, or from the latest one on."""

    def among(self, conversations: Sequence[str], before: str | None, *wanted: ColumnElement[bool]) -> list[Match]:
        """All of these conversations, behind the turn `before` if there is one, that meet conditions on `Turn`. They
        come in any order."""


def matches_of(session: Session, sought: Sequence[Sought], latest: int = LATEST) -> Matches:
    """The matches of a search that has words. `latest`: see `LATEST`."""
    kind = SqliteMatches if is_sqlite(session) else PostgresMatches
    return kind(session, sought, latest)


def _rare(sought: Sequence[Sought], hits: Sequence[Sequence[Any]], dense: int) -> list[Sought]:
    """The words that an index is asked for; `hits` are those of each turn that was looked at, word by word."""
    counts = [sum(bool(row[n]) for row in hits) for n in range(len(sought))]
    rare = [word for word, count in zip(sought, counts, strict=True) if count < dense]
    return rare or [sought[counts.index(min(counts))]]


class SqliteMatches:
    """FTS5 brings its rows from the last one on, but gathers all of those that begin with a word before that."""

    def __init__(self, session: Session, sought: Sequence[Sought], latest: int) -> None:
        self._session = session
        self._sought = sought
        self._latest = latest
        self.sparse = False
        self.looked_at = 0

    def read(self, before: str | None) -> Iterator[str]:
        """Ids of the turns behind that turn."""
        cut = self._at(before) if before is not None else 2**62
        words: Sequence[Sought] = self._sought
        # A whole word comes from the index one by one.
        while any(word.open for word in words):
            rows = self._session.execute(
                select(_AT.c.id, _AT.c.turn_id, *self._has())
                .join(_SAID, _SAID.c.id == _AT.c.id)
                .where(_AT.c.id < cut)
                .order_by(_AT.c.id.desc())
                .limit(self._latest)
            ).all()
            self.looked_at += len(rows)
            found = [row.turn_id for row in rows if all(row[2:])]
            yield from found
            if len(rows) < self._latest:
                return
            cut = rows[-1].id
            if len(found) < DENSE_SQLITE:
                self.sparse = True
                words = _rare(words, [row[2:] for row in rows], DENSE_SQLITE)
                break
        yield from self._session.scalars(self._indexed(words, cut)).yield_per(self._latest)

    def among(self, conversations: Sequence[str], before: str | None, *wanted: ColumnElement[bool]) -> list[Match]:
        """All of these conversations behind the turn."""
        statement = (
            select(_AT.c.id, _AT.c.turn_id)
            .select_from(Turn)
            .join(_AT, _AT.c.turn_id == Turn.id)
            .join(_SAID, _SAID.c.id == _AT.c.id)
            .where(is_one_of(self._session, Turn.conversation_id, conversations), *wanted)
            .where(_AT.c.id < (self._at(before) if before is not None else 2**62), *self._has())
        )
        return [(at, turn_id) for at, turn_id in self._session.execute(statement)]

    def _has(self) -> list[ColumnElement[bool]]:
        said = literal_column("' '").concat(_SAID.c.c0).concat(literal_column("' '"))
        return [func.instr(said, f" {word}" if may_go_on else f" {word} ") > 0 for word, may_go_on in self._sought]

    def _indexed(self, words: Sequence[Sought], cut: int) -> Select[Any]:
        statement = (
            select(_AT.c.turn_id)
            .select_from(_FTS.join(_AT, _AT.c.id == _FTS.c.rowid))
            .where(text("turn_words MATCH :sought").bindparams(sought=fts_query(words)), _FTS.c.rowid < cut)
            .order_by(_FTS.c.rowid.desc())
        )
        if others := [has for has, word in zip(self._has(), self._sought, strict=True) if word not in words]:
            statement = statement.join(_SAID, _SAID.c.id == _AT.c.id).where(*others)
        return statement

    def _at(self, turn_id: str) -> int:
        # Nothing is behind a turn that is gone.
        return self._session.scalar(select(_AT.c.id).where(_AT.c.turn_id == turn_id)) or 0


class PostgresMatches:
    """GIN knows no order, so the latest stretch of time is looked through first, then longer and longer ones."""

    def __init__(self, session: Session, sought: Sequence[Sought], latest: int) -> None:
        self._session = session
        self._sought = sought
        self._latest = latest
        self.sparse = False
        self.looked_at = 0
        self._all = _has(sought)

    def read(self, before: str | None) -> Iterator[str]:
        """Ids of the turns behind that turn."""
        cut = before or _END
        while True:
            rows = self._session.execute(
                select(_WORDS.c.turn_id, *(_has([word]) for word in self._sought))
                .where(_WORDS.c.turn_id < cut)
                .order_by(_WORDS.c.turn_id.desc())
                .limit(self._latest)
            ).all()
            self.looked_at += len(rows)
            found = [row.turn_id for row in rows if all(row[1:])]
            yield from found
            if len(rows) < self._latest:
                return
            cut = rows[-1].turn_id
            if len(found) < DENSE_POSTGRESQL:
                break
        self.sparse = True
        yield from self._indexed(_rare(self._sought, [row[1:] for row in rows], DENSE_POSTGRESQL), cut)

    def among(self, conversations: Sequence[str], before: str | None, *wanted: ColumnElement[bool]) -> list[Match]:
        """All of these conversations behind the turn."""
        statement = (
            select(Turn.id)
            .join(_WORDS, _WORDS.c.turn_id == Turn.id)
            .where(is_one_of(self._session, Turn.conversation_id, conversations), *wanted, self._all)
            .where(Turn.id < (before or _END))
        )
        return [(turn_id, turn_id) for turn_id in self._session.scalars(statement)]

    def _indexed(self, words: Sequence[Sought], cut: str) -> Iterator[str]:
        level = hits = 0
        newest = select(func.max(_WORDS.c.turn_id))
        while (latest := self._session.scalar(newest.where(_WORDS.c.turn_id < cut))) is not None:
            level, hits = level + (hits < _SPARSE), 0
            stretch = latest[: _STRETCHES[level - 1]] if level <= len(_STRETCHES) else ""
            in_time = _IN_TIME.op("@@")(tsquery(words, f" & '#{stretch}':*" if stretch else ""))
            # The order is of an expression, so that nobody walks through all turns from the latest one on.
            order = _WORDS.c.turn_id.concat(literal_column("''")).desc()
            statement = select(_WORDS.c.turn_id).where(in_time, self._all).order_by(order)
            while found := list(self._session.scalars(statement.where(_WORDS.c.turn_id < cut).limit(self._latest))):
                hits += len(found)
                yield from found
                cut = found[-1]
                if len(found) < self._latest:
                    break
            cut = stretch


def _has(words: Sequence[Sought]) -> ColumnElement[bool]:
    return literal_column("turn_words.words").op("@@", is_comparison=True)(tsquery(words))


def fts_query(words: Sequence[Sought]) -> str:
    """All of these words, as FTS5 is asked for them."""
    # Words are letters and digits alone, so nothing in them has a meaning to the database.
    return " AND ".join(f'"{word}"{"*" if may_go_on else ""}' for word, may_go_on in words)


def tsquery(words: Sequence[Sought], more: str = "") -> ColumnElement[Any]:
    """All of these words, and `more`, as PostgreSQL is asked for them."""
    # Words are letters and digits alone, so nothing in them has a meaning to the database.
    query = " & ".join(f"'{word}'{':*' if may_go_on else ''}" for word, may_go_on in words)
    return cast(bindparam(None, query + more), TSQUERY)
