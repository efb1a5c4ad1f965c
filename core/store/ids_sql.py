"""Many values in one statement, without a parameter for each: an array on PostgreSQL, a JSON text on SQLite."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Integer, String, TableValuedAlias, bindparam, func, select
from sqlalchemy.orm import Session


def is_sqlite(session: Session) -> bool:
    """Which of the two databases it is."""
    return session.get_bind().dialect.name == "sqlite"


def values_of(session: Session, values: Sequence[str] | Sequence[int]) -> TableValuedAlias:
    """A table with one column, `value`, that has these."""
    if is_sqlite(session):
        return func.json_each(bindparam(None, json.dumps(list(values)), type_=String())).table_valued("value")
    kind = Integer() if values and isinstance(values[0], int) else String()
    array = bindparam(None, list(values), type_=ARRAY(kind))
    return func.unnest(array).table_valued("value", name="wanted_values").render_derived()


def is_one_of(session: Session, column: Any, values: Sequence[str]) -> ColumnElement[bool]:
    """The column has one of these values."""
    if is_sqlite(session):
        condition: ColumnElement[bool] = column.in_(select(values_of(session, values).c.value))
    else:
        condition = column == func.any(bindparam(None, list(values), type_=ARRAY(String())))
    return condition
