"""Days of time zones, also where clocks are changed."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.days import day_bounds, day_of, days_between, zone_of
from core.errors import ConfigurationError
from core.settings import load_settings

ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo", "America/St_Johns")


@pytest.mark.parametrize("name", ZONES)
def test_the_days_of_a_year_leave_nothing_out_and_overlap_nowhere(name: str) -> None:
    zone = zone_of(name)
    before = None
    for day in days_between(date(2026, 1, 1), date(2026, 12, 31)):
        start, end = day_bounds(day, day, zone)
        assert before is None or start == before
        assert day_of(start, zone) == day_of(end - timedelta(microseconds=1), zone) == day
        assert day_of(start - timedelta(microseconds=1), zone) == day - timedelta(days=1)
        # What migration 0017 marks is a quarter of an hour, which must be of one day.
        assert start.timestamp() % 900 == 0
        before = end


def test_a_day_on_which_clocks_are_changed_is_shorter_or_longer() -> None:
    zone = zone_of("Europe/Berlin")
    spring, autumn = (day_bounds(day, day, zone) for day in (date(2026, 3, 29), date(2026, 10, 25)))
    assert spring[1] - spring[0] == timedelta(hours=23)
    assert autumn[1] - autumn[0] == timedelta(hours=25)


def test_where_midnight_is_left_out_the_day_begins_when_the_clocks_jump() -> None:
    zone = zone_of("Africa/Cairo")
    start, _ = day_bounds(date(2026, 4, 24), date(2026, 4, 24), zone)
    assert start == datetime(2026, 4, 23, 22, 0, tzinfo=UTC)
    assert start.astimezone(zone).hour == 1


def test_no_days_where_the_ends_are_the_wrong_way_round() -> None:
    assert days_between(date(2026, 1, 2), date(2026, 1, 1)) == []


@pytest.mark.parametrize("name", ["Mars/Base", "../etc/passwd", "/etc/passwd", "Europe/"])
def test_a_zone_that_does_not_exist_is_refused_with_the_settings(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"GLIMT_TIMEZONE: .*such as Europe/Berlin"):
        load_settings(_env_file=None, timezone=name)
