"""INSERT … ON CONFLICT, which SQLite and PostgreSQL share but SQLAlchemy spells once for each."""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.store.models import Base, table_of

Row = TypeVar("Row", bound=Base)
_Insert = sqlite.Insert | postgresql.Insert


def insert_if_new(session: Session, table: type[Row], values: dict[str, Any], key: tuple[str, ...]) -> Row | None:
    """Insert a row unless one with the same `key` columns is there; the new row, or None.

    A concurrent insert of the same key is waited for, so after None the other row can be read.
    """
    row: Row | None = session.scalar(_if_new(session.get_bind().dialect.name, table, key), values)
    return row


def insert_all_if_new(session: Session, table: type[Base], rows: Sequence[dict[str, Any]], key: tuple[str, ...]) -> int:
    """Insert those rows whose `key` columns are new, in one statement; how many there were."""
    return len(session.execute(_all_if_new(session.get_bind().dialect.name, table, key), rows).all())


def insert_or_update(
    session: Session, table: type[Base], values: dict[str, Any], key: tuple[str, ...], changes: tuple[str, ...]
) -> None:
    """Insert a row, or take over its `changes` columns into the one with the same `key` columns."""
    session.execute(_or_update(session.get_bind().dialect.name, table, key, changes), values)


@cache
def _if_new(dialect: str, table: type[Base], key: tuple[str, ...]) -> Executable:
    return _insert(dialect, table).on_conflict_do_nothing(index_elements=key).returning(table)


@cache
def _all_if_new(dialect: str, table: type[Base], key: tuple[str, ...]) -> Executable:
    columns = [table_of(table).c[name] for name in key]
    return _insert(dialect, table_of(table)).on_conflict_do_nothing(index_elements=key).returning(*columns)


@cache
def _or_update(dialect: str, table: type[Base], key: tuple[str, ...], changes: tuple[str, ...]) -> Executable:
    insert = _insert(dialect, table)
    return insert.on_conflict_do_update(index_elements=key, set_={name: insert.excluded[name] for name in changes})


def _insert(dialect: str, table: type[Base] | Table) -> _Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
