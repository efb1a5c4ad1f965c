"""Which days and which part of the numbers are looked at, as they stand in the URL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from admin.filters import LONGEST
from core.days import ONE_DAY, days_between
from core.errors import WrongParameter
from core.store.numbers.wanted import WantedNumbers
from core.values import Platform

PERIODS = (7, 30, 90)
_DEFAULT = 30
MOST_DAYS = 1100
# Beyond so many days a chart has a place for each week, beyond the second number for each month.
DAILY, WEEKLY = 92, 400
_ID = re.compile(r"[0-9a-f]{32}")
_NAMES = ("platform", "workspace", "place", "model")


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, and filters by their names in the URL. `days` is 0 where the ends were named."""

    first: date
    last: date
    days: int
    given: Mapping[str, str]

    @classmethod
    def of(cls, query: Mapping[str, str], today: date) -> "Period":
        """From the parameters of a URL; empty ones count as left out, unknown ones are passed over.

        Raises:
            WrongParameter: one of them says what it cannot say.
        """
        given = {name: query[name].strip()[:LONGEST] for name in _NAMES if query.get(name, "").strip()}
        if "platform" in given and given["platform"] not in tuple(Platform):
            raise WrongParameter("platform", f"platform knows no “{given['platform']}”.")
        for name in ("workspace", "place"):
            if name in given and not _ID.fullmatch(given[name]):
                raise WrongParameter(name, f"{name} is no id.")
        since, until = query.get("since", "").strip(), query.get("until", "").strip()
        if since or until:
            last = _day("until", until) if until else today
            first = _day("since", since) if since else last - timedelta(days=_DEFAULT - 1)
            if not first <= last:
                raise WrongParameter("since", "The first day is behind the last one.")
            if (last - first).days >= MOST_DAYS:
                raise WrongParameter("since", f"Choose at most {MOST_DAYS} days.")
            return cls(first, last, 0, given)
        days = query.get("days", "").strip() or str(_DEFAULT)
        if days not in {str(period) for period in PERIODS}:
            raise WrongParameter("days", f"days is one of: {', '.join(map(str, PERIODS))}.")
        return cls(today - timedelta(days=int(days) - 1), today, int(days), given)

    def get(self, name: str) -> str:
        """What the form shows in a field."""
        return self.given.get(name, "")

    def wanted(self) -> WantedNumbers:
        """These days."""
        return WantedNumbers(self.first, self.last, **self.given)

    def wanted_before(self) -> WantedNumbers:
        """As many days before them."""
        length = self.last - self.first + ONE_DAY
        return WantedNumbers(self.first - length, self.first - ONE_DAY, **self.given)

    @property
    def length(self) -> int:
        """How many days they are."""
        return (self.last - self.first).days + 1

    def said(self) -> dict[str, str]:
        """For the audit log, and for the URL of something else of the same days."""
        return {"since": self.first.isoformat(), "until": self.last.isoformat(), **self.given}

    def address(self, path: str = "/numbers", **changed: str) -> str:
        """The URL of the same with other filters; an empty one takes it away. `days` or `since` choose other days."""
        other_days = any(name in changed for name in ("days", "since", "until"))
        if other_days:
            kept = {}
        elif self.days:
            kept = {"days": str(self.days)}
        else:
            kept = {"since": self.first.isoformat(), "until": self.last.isoformat()}
        asked = {**kept, **self.given, **changed}
        return f"{path}?{urlencode({name: value for name, value in asked.items() if value})}"

    def conversations(self, first: date | None = None, last: date | None = None, /, **filters: str) -> str:
        """The URL of the conversations in which something was asked on these days."""
        days = {"asked_since": (first or self.first).isoformat(), "asked_until": (last or self.last).isoformat()}
        return f"/?{urlencode({**self.given, **days, **filters})}"

    def spans(self) -> list[tuple[date, date]]:
        """The places of a chart's axis, each from its first day to its last."""
        days = days_between(self.first, self.last)
        if len(days) <= DAILY:
            return [(day, day) for day in days]
        starts = days[::7] if len(days) <= WEEKLY else [day for day in days if day == self.first or day.day == 1]
        ends = [*(start - ONE_DAY for start in starts[1:]), self.last]
        return list(zip(starts, ends, strict=True))


def _day(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) else None
    except ValueError:
        day = None
    # Far from the ends of the calendar, where there is no day before or behind it.
    if day is None or not 1970 <= day.year <= 9000:
        raise WrongParameter(name, f"{name} is a day such as 2026-11-26.")
    return day
