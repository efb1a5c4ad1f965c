"""Days of a time zone: which one a moment is in, and when it begins and ends."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import ConfigurationError

ONE_DAY = timedelta(days=1)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name, such as Europe/Berlin.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            "there is no such time zone here; use a name such as Europe/Berlin or Asia/Shanghai "
            "(where all are missing, install tzdata)"
        ) from None


def day_of(at: datetime, zone: tzinfo) -> date:
    """The day that an aware moment is in."""
    return at.astimezone(zone).date()


def day_bounds(first: date, last: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The moment at which `first` begins, and that at which `last` is over, in UTC."""
    return _begin(first, zone), _begin(last + ONE_DAY, zone)


def days_between(first: date, last: date) -> list[date]:
    """Each day from `first` to `last`, both with them; none where they are the wrong way round."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _begin(day: date, zone: tzinfo) -> datetime:
    # Where clocks leave out midnight, this is the moment at which they jump.
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
