"""What the overview shows: kept numbers of days that are over, and today's turns as they are now."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from core.days import day_bounds, day_of, days_between
from core.policy.snapshot import snapshot_of
from core.store.models import Conversation, Place, Turn, Workspace
from core.store.numbers.counting import LATENCIES, SUMS, TOTAL, Counted, Key, Numbers, count, sums_of
from core.store.numbers.histogram import Histogram
from core.store.numbers.people import PersonNumbers, distinct_people, top_people
from core.store.numbers.rollup import last_settled
from core.store.numbers.usage_rows import UsageRow, usage_of_day
from core.store.numbers.wanted import WantedNumbers
from core.store.numbers_tables import NumbersDaily, NumbersDay
from core.store.review.scope import ReadScope
from core.store.settings import SettingsRepository
from core.store.turn_guards import IS_OPEN, IS_READY
from core.values import ACTIVE_STATES

# Channels that are shown by name; the others are a number.
TOP = 10
# Ids in one query.
AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Part:
    """A row of a table: what was counted where. `id` is what the filter of the same name takes."""

    id: str
    name: str
    numbers: Numbers


@dataclass
class Report:
    """Numbers of some days. `waiting` of them have not been counted yet, and are missing."""

    days: dict[date, Numbers]
    people_by_day: dict[date, int]
    people: int
    platforms: list[Part]
    workspaces: list[Part]
    models: list[Part]
    channels: list[Part] = field(default_factory=list)
    other_channels: int = 0
    modes: list[Part] = field(default_factory=list)
    waiting: int = 0

    def failed_days(self) -> list[tuple[date, int]]:
        """The days on which something failed, latest first, and how many."""
        return [(day, numbers.failed) for day, numbers in sorted(self.days.items(), reverse=True) if numbers.failed]

    @cached_property
    def whole(self) -> Numbers:
        """All of the days together."""
        whole = Numbers()
        for numbers in self.days.values():
            whole.add(numbers)
        return whole


@dataclass(frozen=True, slots=True)
class Standing:
    """The queue as it is: turns by state, and the seconds that the longest waiting one has waited."""

    counts: dict[str, int]
    oldest_s: float


class NumbersRepository:
    """Reads only, and only what `scope` allows."""

    def __init__(self, session: Session, scope: ReadScope) -> None:
        self._session = session
        self._scope = scope

    def report(self, wanted: WantedNumbers, zone: ZoneInfo, now: datetime, *, parts: bool = True) -> Report:
        """Numbers of the days; `parts`: with what was asked in which channel and mode, and with all latencies.

        Of workspaces, models and channels the time from question to answer is known, of modes none.
        """
        live, waiting = self._live(wanted, zone, now)
        days = {day: Numbers() for day in days_between(wanted.first, wanted.last)}
        workspaces: dict[str, Numbers] = defaultdict(Numbers)
        models: dict[str, Numbers] = defaultdict(Numbers)
        # What is only compared with needs no more than its whole.
        latencies = LATENCIES if parts else TOTAL
        for day, key, numbers in [*self._kept(wanted, latencies), *_flat(live)]:
            days[day].add(numbers, latencies)
            workspaces[key.workspace_id].add(numbers, TOTAL)
            models[key.model].add(numbers, TOTAL)
        known = self._workspaces(workspaces)
        platforms: dict[str, Numbers] = defaultdict(Numbers)
        for workspace_id, numbers in workspaces.items():
            platforms[known[workspace_id].platform].add(numbers, TOTAL)
        by_day, people = distinct_people(self._session, self._scope, wanted, live)
        report = Report(
            days=days,
            people_by_day=by_day,
            people=people,
            platforms=_sorted(Part(name, name, numbers) for name, numbers in platforms.items()),
            workspaces=_sorted(Part(id, _called(known[id]), numbers) for id, numbers in workspaces.items()),
            models=_sorted(Part(name, name, numbers) for name, numbers in models.items()),
            waiting=waiting,
        )
        if parts:
            self._add_places(report, wanted, live)
        return report

    def people(self, wanted: WantedNumbers, zone: ZoneInfo, now: datetime, *, limit: int = 100) -> list[PersonNumbers]:
        """Who asked most."""
        live, _ = self._live(wanted, zone, now)
        return top_people(self._session, self._scope, wanted, live, limit)

    def usage(self, day: date, wanted: WantedNumbers, zone: ZoneInfo) -> list[UsageRow]:
        """Numbers of one day by place, person and model, with exact percentiles."""
        return usage_of_day(self._session, self._scope, day, wanted, zone)

    def first_day(self, zone: ZoneInfo, now: datetime) -> date:
        """The day of the first turn that there is, or was; today where there is none."""
        asked = self._session.scalar(
            select(Turn.created_at)
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .where(self._scope.allows())
            .order_by(Turn.created_at)
            .limit(1)
        )
        everything = WantedNumbers(date.min, date.max).of_days(self._scope)
        counted = self._session.scalar(select(func.min(NumbersDaily.day)).where(everything))
        today = day_of(now, zone)
        return min(day_of(asked, zone) if asked is not None else today, counted or today)

    def standing(self, now: datetime) -> Standing:
        """The queue, as far as it may be read."""
        open_turns = (
            select(Turn.state, func.count())
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .where(IS_OPEN, self._scope.allows())
            .group_by(Turn.state)
        )
        counts = {state.value: 0 for state in ACTIVE_STATES}
        counts |= {row[0]: row[1] for row in self._session.execute(open_turns)}
        oldest = self._session.scalar(
            select(func.min(Turn.ready_at))
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .where(IS_READY, self._scope.allows())
        )
        return Standing(counts, max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0)

    def _live(self, wanted: WantedNumbers, zone: ZoneInfo, now: datetime) -> tuple[dict[date, Counted], int]:
        """What is counted now of the days that are not settled, and how many others wait to be counted."""
        counted = select(NumbersDay.day).where(NumbersDay.day.between(wanted.first, wanted.last))
        put_down = set(self._session.scalars(counted))
        settled = last_settled(zone, now)
        today = day_of(now, zone)
        first_turn = self._session.scalar(select(func.min(Turn.created_at)))
        begin = max(wanted.first, day_of(first_turn, zone)) if first_turn is not None else today
        live: dict[date, Counted] = {}
        waiting = 0
        for day in days_between(begin, min(wanted.last, today)):
            if day in put_down:
                continue
            if day < settled:
                waiting += 1
                continue
            start, end = day_bounds(day, day, zone)
            mine = and_(Turn.created_at >= start, Turn.created_at < end, wanted.of_turns(self._scope))
            live[day] = count(self._session, mine)
        return live, waiting

    def _kept(self, wanted: WantedNumbers, latencies: Sequence[str]) -> Iterator[tuple[date, Key, Numbers]]:
        columns = [getattr(NumbersDaily, name) for name in (*SUMS, *latencies)]
        where = (NumbersDaily.day, NumbersDaily.workspace_id, NumbersDaily.place_id, NumbersDaily.model)
        for row in self._session.execute(select(*where, *columns).where(wanted.of_days(self._scope))):
            numbers = Numbers(*row[4 : 4 + len(SUMS)])
            for name, stored in zip(latencies, row[4 + len(SUMS) :], strict=True):
                setattr(numbers, name, Histogram.read(stored))
            yield row[0], Key(row[1], row[2], "", row[3]), numbers

    def _workspaces(self, ids: Any) -> dict[str, Workspace]:
        return {row.id: row for row in self._session.scalars(select(Workspace).where(Workspace.id.in_(list(ids))))}

    def _add_places(self, report: Report, wanted: WantedNumbers, live: dict[date, Counted]) -> None:
        sums = [func.sum(getattr(NumbersDaily, name)) for name in SUMS]
        by_place = select(NumbersDaily.place_id, *sums).where(wanted.of_places(self._scope))
        places: dict[str, Numbers] = defaultdict(Numbers)
        for row in self._session.execute(by_place.group_by(NumbersDaily.place_id)):
            places[row[0]].add_sums(sums_of(row[1:]))
        for _, key, numbers in _flat(live):
            places[key.place_id].add(numbers, TOTAL)
        rows = self._places(sorted(places))
        modes: dict[str, Numbers] = defaultdict(Numbers)
        policies = snapshot_of(SettingsRepository(self._session).newest())
        for place_id, numbers in places.items():
            at = rows.get(place_id)
            where, chosen = (("", ""), "") if at is None else ((at.workspace_id, at.external_id), at.persona)
            modes[policies.of(*where).persona(chosen).name].add_sums([getattr(numbers, name) for name in SUMS])
        report.modes = _sorted(Part(mode, mode, numbers) for mode, numbers in modes.items())
        channels = sorted((id for id in places if id in rows), key=lambda id: (-places[id].questions, id))
        report.other_channels = len(channels[TOP:])
        self._add_latencies(wanted, places, channels[:TOP])
        report.channels = [Part(id, rows[id].external_id, places[id]) for id in channels[:TOP]]

    def _places(self, ids: list[str]) -> dict[str, Place]:
        found: dict[str, Place] = {}
        for start in range(0, len(ids), AT_ONCE):
            some = select(Place).where(Place.id.in_(ids[start : start + AT_ONCE]))
            found |= {row.id: row for row in self._session.scalars(some)}
        return found

    def _add_latencies(self, wanted: WantedNumbers, places: dict[str, Numbers], ids: list[str]) -> None:
        condition = and_(wanted.of_places(self._scope), NumbersDaily.place_id.in_(ids))
        for place_id, total in self._session.execute(
            select(NumbersDaily.place_id, NumbersDaily.total).where(condition)
        ):
            places[place_id].total.merge(Histogram.read(total))


def _flat(live: dict[date, Counted]) -> Iterator[tuple[date, Key, Numbers]]:
    for day, counted in live.items():
        for key, numbers in counted.items():
            yield day, key, numbers


def _sorted(parts: Iterable[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: (-part.numbers.questions, part.name))


def _called(workspace: Workspace) -> str:
    return f"{workspace.platform} · {workspace.name or workspace.external_id}"
