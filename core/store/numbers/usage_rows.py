"""What one day cost, by place, person and model: the rows of `usage.csv`, from the turns themselves."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from core.days import day_bounds
from core.store.models import Person, Place, Turn, Workspace
from core.store.numbers.counting import Counted, Key, Numbers, asked, note_rest, note_state
from core.store.numbers.histogram import exact_percentile
from core.store.numbers.keep import numbers_of
from core.store.numbers.wanted import WantedNumbers
from core.store.numbers_tables import NumbersDaily
from core.store.review.names import shown_name
from core.store.review.scope import ReadScope

_Row = TypeVar("_Row", Place, Person)
Percentiles = tuple[float | None, float | None]
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One line. Percentiles (p50, p95) of answered turns are in seconds; `person` is None where it was erased, and then
    they come from a histogram.
    """

    workspace: Workspace
    place: Place | None
    person: Person | None
    model: str
    numbers: Numbers
    queue: Percentiles
    first: Percentiles
    total: Percentiles

    @property
    def person_name(self) -> str:
        """As the console shows it."""
        return shown_name(self.person) if self.person is not None else "(erased)"


@dataclass(slots=True)
class _Durations:
    queue: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)


def usage_of_day(
    session: Session, scope: ReadScope, day: date, wanted: WantedNumbers, zone: ZoneInfo
) -> list[UsageRow]:
    """The lines of one day, in the order of what they show; what is left of erased turns comes last."""
    start, end = day_bounds(day, day, zone)
    condition = and_(Turn.created_at >= start, Turn.created_at < end, wanted.of_turns(scope))
    counted: Counted = {}
    durations: dict[Key, _Durations] = defaultdict(_Durations)
    for turn in asked(session, condition):
        note_state(counted.setdefault(turn.key, Numbers()), turn.state)
        mine = durations[turn.key]
        for known, seconds in ((mine.queue, turn.queue_s), (mine.first, turn.first_s), (mine.total, turn.total_s)):
            if seconds is not None:
                known.append(seconds)
    note_rest(session, condition, counted)
    erased = list(
        session.scalars(
            select(NumbersDaily).where(wanted.of_days(scope), NumbersDaily.day == day, NumbersDaily.kept.is_(True))
        )
    )
    workspace_ids = {key.workspace_id for key in counted} | {row.workspace_id for row in erased}
    workspaces = {row.id: row for row in session.scalars(select(Workspace).where(Workspace.id.in_(workspace_ids)))}
    places = _rows(session, Place, {key.place_id for key in counted})
    people = _rows(session, Person, {key.person_id for key in counted})
    rows = [
        UsageRow(
            workspaces[key.workspace_id],
            places.get(key.place_id),
            people[key.person_id],
            key.model,
            numbers,
            *(_percentiles(known) for known in _all(durations[key])),
        )
        for key, numbers in counted.items()
    ]
    rows.sort(key=_order)
    for kept in sorted(erased, key=lambda kept: (kept.workspace_id, kept.model)):
        numbers = numbers_of(kept)
        left = [
            (known.percentile(0.5), known.percentile(0.95)) for known in (numbers.queue, numbers.first, numbers.total)
        ]
        rows.append(UsageRow(workspaces[kept.workspace_id], None, None, kept.model, numbers, *left))
    return rows


def _all(durations: _Durations) -> tuple[list[float], ...]:
    return durations.queue, durations.first, durations.total


def _percentiles(known: list[float]) -> Percentiles:
    known.sort()
    return exact_percentile(known, 0.5), exact_percentile(known, 0.95)


def _order(row: UsageRow) -> tuple[str, ...]:
    place = row.place.external_id if row.place is not None else ""
    person = row.person.external_id if row.person is not None else ""
    return row.workspace.platform, row.workspace.external_id, place, person, row.model


def _rows(session: Session, table: type[_Row], ids: set[str]) -> dict[str, _Row]:
    found: dict[str, _Row] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        some = select(table).where(table.id.in_(wanted[start : start + _AT_ONCE]))
        found |= {row.id: row for row in session.scalars(some)}
    return found
