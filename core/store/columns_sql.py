"""Expressions that each database spells in its own way."""

from typing import Any

from sqlalchemy import ColumnElement, Float, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class seconds_between(FunctionElement[float]):  # reads like the SQL function that it stands for
    """Seconds from the first time to the second; null where one of them is."""

    type = Float()
    inherit_cache = True

    def __init__(self, start: Any, end: Any) -> None:
        super().__init__(start, end)


@compiles(seconds_between, "sqlite")
def _sqlite(element: seconds_between, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(part, **options) for part in _parts(element))
    return f"((julianday({end}) - julianday({start})) * 86400.0)"


@compiles(seconds_between, "postgresql")
def _postgresql(element: seconds_between, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(part, **options) for part in _parts(element))
    return f"extract(epoch FROM ({end} - {start}))"


def _parts(element: seconds_between) -> list[ColumnElement[Any]]:
    return list(element.clauses)


class before_colon(FunctionElement[str]):
    """What a text says before its first colon."""

    type = String()
    inherit_cache = True


@compiles(before_colon, "sqlite")
def _sqlite_before(element: before_colon, compiler: Any, **options: Any) -> str:
    (said,) = (compiler.process(part, **options) for part in element.clauses)
    return f"substr({said}, 1, instr({said}, ':') - 1)"


@compiles(before_colon, "postgresql")
def _postgresql_before(element: before_colon, compiler: Any, **options: Any) -> str:
    (said,) = (compiler.process(part, **options) for part in element.clauses)
    return f"split_part({said}, ':', 1)"
