"""What all tables have in common: names, types, ids, and indexes over a part of the rows.

The same metadata runs on SQLite and PostgreSQL. Ids are `core.values.new_id()`; times are aware UTC.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, MetaData, String, text
from sqlalchemy.orm import DeclarativeBase

from core.store.columns import UtcDateTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def partial_index(condition: str) -> dict[str, Any]:
    """Keyword arguments of an index over the rows that meet `condition` alone, on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Base(DeclarativeBase):
    """Common naming and types."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        list[dict[str, Any]]: JSON(),
        list[str]: JSON(),
    }


Id = String(32)
