"""Keeping the numbers: which days are to be counted, and putting down what was counted of one."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.orm import Session

from core.days import ONE_DAY, day_bounds, day_of, days_between
from core.store.models import Turn
from core.store.numbers.counting import Counted, Numbers, count
from core.store.numbers.keep import zone_kept
from core.store.numbers.whose import forget_whose, is_whose_kept
from core.store.numbers_tables import NumbersDaily, NumbersDay, NumbersPerson, NumbersStale, NumbersZone
from core.store.retention.holds import Holds
from core.store.retention.rules import Rules
from core.store.upsert import insert_if_new, insert_or_update

# A day is counted so long after its end. Migration 0017 marks what changes later than a quarter of an hour after the
# question, so whatever was not marked has been committed by then.
SETTLES = timedelta(minutes=30)
_AS_IT_IS: dict[str, Any] = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class DueDay:
    """A day to be counted. `version` is 0 where it never was; `marks` are what counting it settles."""

    day: date
    version: int
    marks: tuple[int, ...]


class RollupRepository:
    """What the workers keep for the overview. Not limited to what an admin may read: nothing of it is shown."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def zone(self) -> str:
        """Name of the time zone whose days are counted."""
        return zone_kept(self._session)

    def note_zone(self, zone: ZoneInfo) -> None:
        """From now on days of this zone are counted."""
        insert_or_update(self._session, NumbersZone, {"id": 1, "zone": zone.key}, ("id",), ("zone",))

    def due(self, zone: ZoneInfo, now: datetime) -> list[DueDay]:
        """The days to be counted, latest first."""
        known = {row.day: row for row in self._session.scalars(select(NumbersDay))}
        marks: dict[date, list[int]] = defaultdict(list)
        for mark in self._session.scalars(select(NumbersStale)):
            marks[day_of(mark.at, zone)].append(mark.id)
        first = self._session.scalar(select(func.min(Turn.created_at)))
        last = last_settled(zone, now)
        over = days_between(day_of(first, zone), last) if first is not None else []
        # Beyond the first turn, too: the turns of such a day were erased.
        days = {*over, *(day for day in marks if day <= last), *(day for day in known if day <= last)}
        due = []
        for day in sorted(days, reverse=True):
            row = known.get(day)
            if row is None or row.zone != zone.key or day in marks:
                due.append(DueDay(day, row.version if row is not None else 0, tuple(marks[day])))
        return due

    def count(self, day: date, zone: ZoneInfo) -> Counted:
        """Numbers of a day, in the transaction that has read that it is due."""
        start, end = day_bounds(day, day, zone)
        return count(self._session, and_(Turn.created_at >= start, Turn.created_at < end))

    def put(self, due: DueDay, counted: Counted, zone: ZoneInfo, now: datetime) -> bool:
        """Put down what was counted; False: another process has counted this day meanwhile, and nothing is changed."""
        if not self._takes(due, zone, now):
            return False
        mine = (NumbersDaily.whole.in_([True, False]), NumbersDaily.day == due.day, NumbersDaily.kept.is_(False))
        self._run(delete(NumbersDaily).where(*mine))
        self._run(delete(NumbersPerson).where(NumbersPerson.day == due.day))
        cells: dict[tuple[bool, str, str, str], Numbers] = defaultdict(Numbers)
        people: dict[tuple[str, str, str, str], Numbers] = defaultdict(Numbers)
        rules = Holds(self._session).rules()
        for (workspace_id, place_id, person_id, model), numbers in counted.items():
            cells[True, workspace_id, "", model].add(numbers)
            cells[False, workspace_id, place_id, model].add(numbers)
            # A day that is counted again must not tell what was forgotten of it.
            if is_whose_kept(rules, workspace_id, due.day, zone, now):
                people[workspace_id, place_id, person_id, model].add(numbers)
        daily = [
            {"whole": whole, "day": due.day, "kept": False, "workspace_id": workspace_id, "place_id": place_id}
            | {"model": model, **numbers.row()}
            for (whole, workspace_id, place_id, model), numbers in sorted(cells.items())
        ]
        personal = [
            {"day": due.day, "person_id": person_id, "place_id": place_id, "model": model}
            | {"workspace_id": workspace_id, "questions": numbers.questions, "answered": numbers.answered}
            | {"failed": numbers.failed, "prompt_tokens": numbers.prompt_tokens}
            | {"completion_tokens": numbers.completion_tokens}
            for (workspace_id, place_id, person_id, model), numbers in sorted(people.items())
        ]
        for table, rows in ((NumbersDaily, daily), (NumbersPerson, personal)):
            if rows:
                self._session.execute(insert(table), rows)
        self._settle(due.marks)
        return True

    def forget(self) -> None:
        """Have every day counted again. What is kept of erased turns stays."""
        self._run(update(NumbersDay).values(zone="", version=NumbersDay.version + 1))

    def forget_whose(self, rules: Rules, now: datetime) -> int:
        """Forget who asked on the oldest day that is too old for it; how many rows. 0: there is none any more."""
        return forget_whose(self._session, rules, now)

    def _takes(self, due: DueDay, zone: ZoneInfo, now: datetime) -> bool:
        if due.version == 0:
            row = {"day": due.day, "zone": zone.key, "version": 1, "counted_at": now}
            return insert_if_new(self._session, NumbersDay, row, ("day",)) is not None
        taken = (
            update(NumbersDay)
            .where(NumbersDay.day == due.day, NumbersDay.version == due.version)
            .values(version=due.version + 1, zone=zone.key, counted_at=now)
            .returning(NumbersDay.day)
        )
        return self._session.scalar(taken, execution_options=_AS_IT_IS) is not None

    def _settle(self, marks: Collection[int]) -> None:
        ids = sorted(marks)
        for start in range(0, len(ids), 500):
            self._run(delete(NumbersStale).where(NumbersStale.id.in_(ids[start : start + 500])))

    def _run(self, statement: Any) -> None:
        self._session.execute(statement, execution_options=_AS_IT_IS)


def last_settled(zone: ZoneInfo, now: datetime) -> date:
    """The last day that may be counted for good."""
    return day_of(now - SETTLES, zone) - ONE_DAY
