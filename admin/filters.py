"""Filters as they stand in the URL."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, get_args
from urllib.parse import urlencode

from core.days import day_bounds
from core.errors import WrongParameter
from core.store.review.filters import NOBODY, Human, Rating, Review, State, Wanted
from core.values import Platform

LONGEST = 200
_ID = re.compile(r"[0-9a-f]{32}")
_WORDS: dict[str, tuple[str, ...]] = {
    "platform": tuple(Platform),
    "state": get_args(State),
    "feedback": get_args(Rating),
    "review": get_args(Review),
    "human": get_args(Human),
}
_TEXTS = ("person", "model")
_IDS = ("workspace", "place", "label")
# Admins make further ones.
_MODE = re.compile(r"[a-z][a-z0-9-]{0,30}")
_DAYS = ("since", "until")
_TICKS = ("pictures", "flagged")
# Of `assigned`: whoever looks.
_ME = "me"
# Days on which something was asked, whatever came later.
_ASKED = ("asked_since", "asked_until")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for. `given` is what the form shows, by the names in the URL."""

    q: str
    wanted: Wanted
    given: Mapping[str, str]
    before: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str], zone: tzinfo = UTC, *, me: str = "") -> "Filters":
        """From the parameters of a URL; empty ones count as left out, unknown ones are passed over. Days are of `zone`.

        `me` is the id of the admin who asks, for what is assigned to him.

        Raises:
            WrongParameter: one of them says what it cannot say.
        """
        given = {name: value.strip()[:LONGEST] for name, value in query.items() if value.strip()}
        values: dict[str, Any] = {name: given[name] for name in _TEXTS if name in given}
        for name, known in _WORDS.items():
            if (word := given.get(name)) is not None:
                if word not in known:
                    raise WrongParameter(name, f"{name} knows no “{word}”.")
                values[name] = word
        if (mode := given.get("mode")) is not None:
            if not _MODE.fullmatch(mode):
                raise WrongParameter("mode", f"mode knows no “{mode}”.")
            values["mode"] = mode
        for name in _IDS:
            if (word := given.get(name)) is not None:
                if not _ID.fullmatch(word):
                    raise WrongParameter(name, f"{name} is no id.")
                values[name] = word
        if "slow" in given:
            values["slow_s"] = _seconds(given["slow"])
        values |= {name: given.get(name) == "1" for name in _TICKS}
        if (who := given.get("assigned")) is not None:
            values["assigned"] = _assigned(who, me)
        for first, last, since, before in ((*_DAYS, "since", "before"), (*_ASKED, "asked_since", "asked_before")):
            values[since] = _bounds(first, given[first], zone)[0] if first in given else None
            # Until the end of that day.
            values[before] = _bounds(last, given[last], zone)[1] if last in given else None
        shown = {name: value for name, value in given.items() if name != "before"}
        return cls(given.get("q", ""), Wanted(**values), shown, given.get("before", ""))

    @property
    def before_conversation(self) -> tuple[datetime, str] | None:
        """Where the page of the list begins.

        Raises:
            WrongParameter: it is no such place.
        """
        if not self.before:
            return None
        at, _, conversation_id = self.before.partition("_")
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            raise WrongParameter("before", "This page of the list does not exist.") from None
        if moment.tzinfo is None or not _ID.fullmatch(conversation_id):
            raise WrongParameter("before", "This page of the list does not exist.")
        return moment, conversation_id

    @property
    def before_turn(self) -> str | None:
        """Where the page of what was found begins.

        Raises:
            WrongParameter: it is no such place.
        """
        if self.before and not _ID.fullmatch(self.before):
            raise WrongParameter("before", "This page of the list does not exist.")
        return self.before or None

    def get(self, name: str) -> str:
        """What the form shows in a field."""
        return self.given.get(name, "")

    @property
    def chosen(self) -> int:
        """How many filters are set, beside the words."""
        return len(self.given.keys() & {"mode", "slow", "assigned", *_WORDS, *_IDS, *_TEXTS, *_TICKS, *_DAYS, *_ASKED})

    def address(self, *, before: tuple[datetime, str] | str) -> str:
        """The URL of another page of the same."""
        place = before if isinstance(before, str) else f"{before[0].isoformat()}_{before[1]}"
        return "/?" + urlencode({**self.given, "before": place})

    @property
    def query(self) -> str:
        """The same filters for another address."""
        return urlencode(self.given)

    def said(self) -> dict[str, str]:
        """For the audit log."""
        return dict(self.given) | ({"before": self.before} if self.before else {})


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 1_000_000:
        raise WrongParameter("slow", "slow is a number of seconds.")
    return value


def _assigned(who: str, me: str) -> str:
    admin = me if who == _ME else who
    if admin != NOBODY and not _ID.fullmatch(admin):
        raise WrongParameter("assigned", f"assigned is {_ME}, {NOBODY} or the id of an admin.")
    return admin


def _bounds(name: str, text: str, zone: tzinfo) -> tuple[datetime, datetime]:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
        return day_bounds(day, day, zone)
    except (ValueError, OverflowError):
        raise WrongParameter(name, f"{name} is a day such as 2026-11-26.") from None


def is_id(text: str) -> bool:
    """Whether it can be one of our ids."""
    return _ID.fullmatch(text) is not None


# Of all filters, also those that are in no list above.
_KNOWN = frozenset({"q", *_WORDS, *_TEXTS, *_IDS, *_DAYS, *_ASKED, "slow", "pictures", "flagged", "assigned"})


def require_known(names: Iterable[str]) -> None:
    """For whatever does more than show a list: a filter that is misspelt must not count as left out.

    Raises:
        WrongParameter: there is no filter of that name.
    """
    for name in names:
        if name not in _KNOWN:
            raise WrongParameter(name, f"There is no filter “{name[:40]}”. There are: {', '.join(sorted(_KNOWN))}.")
