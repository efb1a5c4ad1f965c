"""INSERT … ON CONFLICT, which SQLite and PostgreSQL share but SQLAlchemy spells once for each."""

from functools import cache
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.store.models import Base

_Insert = sqlite.Insert | postgresql.Insert


def insert_if_new(session: Session, table: type[Base], values: dict[str, Any], key: tuple[str, ...]) -> bool:
    """Insert a row unless one with the same `key` columns is there; whether it was inserted.

    A concurrent insert of the same key is waited for, so after False the other row can be read.
    """
    return session.execute(_if_new(session.get_bind().dialect.name, table, key), values).first() is not None


def insert_or_update(
    session: Session, table: type[Base], values: dict[str, Any], key: tuple[str, ...], changes: tuple[str, ...]
) -> None:
    """Insert a row, or take over its `changes` columns into the one with the same `key` columns."""
    session.execute(_or_update(session.get_bind().dialect.name, table, key, changes), values)


@cache
def _if_new(dialect: str, table: type[Base], key: tuple[str, ...]) -> Executable:
    return _insert(dialect, table).on_conflict_do_nothing(index_elements=key).returning(table.__table__.c[key[0]])


@cache
def _or_update(dialect: str, table: type[Base], key: tuple[str, ...], changes: tuple[str, ...]) -> Executable:
    insert = _insert(dialect, table)
    return insert.on_conflict_do_update(index_elements=key, set_={name: insert.excluded[name] for name in changes})


def _insert(dialect: str, table: type[Base]) -> _Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
