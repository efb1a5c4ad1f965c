"""What stays of turns that are erased: how many there were and what they cost, of a whole workspace and of nobody."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.days import day_of
from core.store.models import Turn
from core.store.numbers.counting import LATENCIES, SUMS, Numbers, count
from core.store.numbers.histogram import Histogram
from core.store.numbers_tables import NumbersDaily, NumbersZone
from core.store.upsert import insert_if_new


def zone_kept(session: Session) -> str:
    """Name of the time zone whose days are counted."""
    return session.scalar(select(NumbersZone.zone)) or "UTC"


def keep_numbers(session: Session, turn_ids: Collection[str]) -> None:
    """To be called in the transaction that erases these turns, before it does."""
    zone = ZoneInfo(zone_kept(session))
    days: dict[date, list[str]] = defaultdict(list)
    for turn_id, created_at in session.execute(select(Turn.id, Turn.created_at).where(Turn.id.in_(turn_ids))):
        days[day_of(created_at, zone)].append(turn_id)
    kept: dict[tuple[date, str, str], Numbers] = defaultdict(Numbers)
    for day, ids in days.items():
        for key, numbers in count(session, Turn.id.in_(ids)).items():
            kept[day, key.workspace_id, key.model].add(numbers)
    # In order, so that two who erase at once do not wait for each other in a circle.
    for (day, workspace_id, model), numbers in sorted(kept.items()):
        _add(session, day, workspace_id, model, numbers)


def numbers_of(row: NumbersDaily) -> Numbers:
    """What a row says."""
    values: dict[str, Any] = {name: getattr(row, name) for name in SUMS}
    return Numbers(**values | {name: Histogram.read(getattr(row, name)) for name in LATENCIES})


def _add(session: Session, day: date, workspace_id: str, model: str, numbers: Numbers) -> None:
    key = {"whole": True, "day": day, "kept": True, "workspace_id": workspace_id, "place_id": "", "model": model}
    if insert_if_new(session, NumbersDaily, key | numbers.row(), tuple(key)) is not None:
        return
    statement = select(NumbersDaily).filter_by(**key).with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).one()
    numbers.add(numbers_of(row))
    for name, value in numbers.row().items():
        setattr(row, name, value)
    session.flush()
