"""Days and filters of the overview in the URL."""

from datetime import date, timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest

from admin.period import DAILY, MOST_DAYS, Period
from core.errors import WrongParameter
from core.values import new_id

TODAY = date(2026, 11, 26)


def test_a_number_of_days_ends_today_and_is_compared_with_as_many_before() -> None:
    period = Period.of({"days": "7"}, TODAY)
    assert (period.first, period.last, period.length) == (date(2026, 11, 20), TODAY, 7)
    before = period.wanted_before()
    assert (before.first, before.last) == (date(2026, 11, 13), date(2026, 11, 19))
    assert Period.of({}, TODAY).length == 30


def test_days_that_somebody_names() -> None:
    period = Period.of({"since": "2026-01-01", "until": "2026-01-01"}, TODAY)
    assert (period.length, period.days) == (1, 0)
    assert Period.of({"since": "2026-11-01"}, TODAY).last == TODAY
    assert Period.of({"until": "2026-11-01"}, TODAY).length == 30


@pytest.mark.parametrize(
    "query",
    [
        {"days": "8"},
        {"days": "٧"},
        {"since": "2026-11-27"},
        {"since": "2026-13-01"},
        {"since": "20261101"},
        {"until": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": (TODAY - timedelta(days=MOST_DAYS)).isoformat()},
        {"platform": "fax"},
        {"workspace": "x"},
        {"place": "../"},
    ],
)
def test_what_cannot_be_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(WrongParameter):
        Period.of(query, TODAY)


def test_addresses_keep_what_was_chosen() -> None:
    place = new_id()
    period = Period.of({"days": "7", "place": place, "q": "ignored"}, TODAY)

    def query(address: str) -> dict[str, list[str]]:
        return parse_qs(urlsplit(address).query)

    assert query(period.address(model="a&b")) == {"days": ["7"], "place": [place], "model": ["a&b"]}
    assert query(period.address(place="")) == {"days": ["7"]}
    assert query(period.address(days="90")) == {"days": ["90"], "place": [place]}
    assert query(period.conversations(state="failed")) == {
        "place": [place],
        "asked_since": ["2026-11-20"],
        "asked_until": ["2026-11-26"],
        "state": ["failed"],
    }
    assert period.wanted().place == place


@pytest.mark.parametrize(("length", "places"), [(1, 1), (DAILY, DAILY), (DAILY + 1, 14), (400, 58), (401, 14)])
def test_long_periods_have_places_for_weeks_and_months(length: int, places: int) -> None:
    first = TODAY - timedelta(days=length - 1)
    period = Period.of({"since": first.isoformat(), "until": TODAY.isoformat()}, TODAY)
    spans = period.spans()
    assert len(spans) == places
    assert (spans[0][0], spans[-1][1]) == (first, TODAY)
    assert all(after[0] - before[1] == timedelta(days=1) for before, after in pairwise(spans))
