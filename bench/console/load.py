"""Rows into a database as fast as it takes them: without triggers, and with indexes made at the end.

What the triggers would have written comes along: words and names are cut here, facts come with the rows.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import psycopg
from sqlalchemy import JSON, Table, make_url

import core.store.admin_tables  # noqa: F401  # adds its tables to `Base`
from bench.console.world import Made, Row
from core.store.columns import UtcDateTime
from core.store.models import Base
from core.store.words import index_words

# So many rows are held before they are written.
CHUNK = 20_000
TABLES = [
    "workspaces",
    "people",
    "name_pairs",
    "places",
    "conversations",
    "turns",
    "attachments",
    "feedback",
    "deliveries",
    "usage",
    "audit_log",
    "turn_words",
]
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Sink(Protocol):
    """A database that is filled. Used as a context; at its end it is whole."""

    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None: ...
    def write(self, table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
        """Add rows."""


def load(rows: Iterable[Made], sinks: list[Sink]) -> None:
    """Write the same rows into each of the databases, which have our tables and nothing in them."""
    todo = iter(rows)
    while chunk := list(islice(todo, CHUNK)):
        by_table: dict[str, list[Row]] = {}
        for table, row in chunk:
            by_table.setdefault(table, []).append(row)
        if "people" in by_table:
            by_table["name_pairs"] = list(_name_pairs(by_table["people"]))
        if "turns" in by_table:
            by_table["turn_words"] = [
                {"turn_id": turn["id"], "words": index_words(f"{turn['question']}\n{turn['answer']}")}
                for turn in by_table["turns"]
            ]
        for table in TABLES:
            if table in by_table:
                columns, values = _values(table, by_table[table])
                for sink in sinks:
                    sink.write(table, columns, values)


def _name_pairs(people: list[Row]) -> Iterator[Row]:
    for person in people:
        name = person["display_name"].lower()
        for pair in sorted({name[n : n + 2] for n in range(len(name) - 1)}):
            yield {"pair": pair, "person_id": person["id"]}


def _values(table: str, rows: list[Row]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The rows as tuples, with what our code writes where nothing else is said."""
    known = Base.metadata.tables.get(table)
    defaults = dict(_defaults(known)) if known is not None else {}
    columns = list(dict.fromkeys([*defaults, *rows[0]]))
    return columns, [tuple(row[c] if c in row else defaults[c] for c in columns) for row in rows]


def _defaults(table: Table) -> Iterator[tuple[str, Any]]:
    for column in table.columns:
        default = column.default
        # Ids and times come with the row; what only some rows have may be null.
        if default is None or column.primary_key or isinstance(column.type, UtcDateTime):
            continue
        if isinstance(column.type, JSON):
            yield column.name, "[]" if default.arg(None) == [] else "{}"  # type: ignore[attr-defined]
        else:
            value = default.arg  # type: ignore[attr-defined]
            yield column.name, int(value) if isinstance(value, bool) else value


class SqliteSink:
    """A SQLite file with our tables."""

    def __init__(self, sql_url: str) -> None:
        self._file = Path(make_url(sql_url).database or "")
        self._words = 0

    def __enter__(self) -> "SqliteSink":
        self._db = sqlite3.connect(self._file, isolation_level=None)
        self._db.create_function("glimt_words", 1, index_words, deterministic=True)
        for pragma in ("synchronous = OFF", "foreign_keys = OFF", "cache_size = -200000"):
            self._db.execute(f"PRAGMA {pragma}")
        found = self._db.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('trigger', 'index')"
        ).fetchall()
        self._later = [sql for _, _, sql in found]
        for kind, name, _ in found:
            self._db.execute(f"DROP {kind} {name}")
        self._db.execute("INSERT INTO turn_words (turn_words, rank) VALUES ('automerge', 0)")
        self._db.execute("BEGIN")
        return self

    def write(self, table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
        """Add rows."""
        if table == "turn_words":
            first = self._words + 1
            self._words += len(rows)
            at, words = columns.index("turn_id"), columns.index("words")
            self._insert("turn_words_at", ["id", "turn_id"], [(n, row[at]) for n, row in enumerate(rows, first)])
            self._insert("turn_words", ["rowid", "words"], [(n, row[words]) for n, row in enumerate(rows, first)])
        else:
            self._insert(table, columns, rows)

    def _insert(self, table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(columns))
        self._db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        if kind is None:
            for sql in self._later:
                self._db.execute(sql)
            self._db.execute("COMMIT")
            self._db.execute("INSERT INTO turn_words (turn_words, rank) VALUES ('automerge', 4)")
            self._db.execute("INSERT INTO turn_words (turn_words) VALUES ('optimize')")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()


class PostgresSink:
    """A PostgreSQL database with our tables, whose superuser we are."""

    def __init__(self, sql_url: str) -> None:
        self._url = sql_url.replace("postgresql+psycopg://", "postgresql://")

    def __enter__(self) -> "PostgresSink":
        self._db = psycopg.connect(self._url)
        # Neither triggers nor foreign keys are looked at.
        self._db.execute("SET session_replication_role = replica")
        self._db.execute("SET timezone = 'UTC'")
        self._db.execute("SET maintenance_work_mem = '512MB'")
        found = self._db.execute(
            "SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.schemaname = 'public' AND i.tablename = ANY(%s) "
            "AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)",
            (list(TABLES),),
        ).fetchall()
        self._later = [definition for _, definition in found]
        for name, _ in found:
            self._db.execute(f'DROP INDEX "{name}"'.encode())
        return self

    def write(self, table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
        """Add rows."""
        lines = "\n".join("\t".join([_copied(value) for value in row]) for row in rows)
        with self._db.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as copy:
            copy.write(lines + "\n")

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        if kind is None:
            for definition in self._later:
                self._db.execute(definition.encode())
            self._db.commit()
            self._db.autocommit = True
            # What autovacuum would have done by and by.
            self._db.execute("VACUUM (ANALYZE)")
        self._db.close()


def _copied(value: Any) -> str:
    if value is None:
        return r"\N"
    return value.translate(_ESCAPES) if isinstance(value, str) else str(value)
