"""How long what is kept: the rules of workspaces, and what holds where nothing is said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlalchemy.orm import InstrumentedAttribute

Column = ColumnElement[str] | InstrumentedAttribute[str]
At = ColumnElement[datetime] | InstrumentedAttribute[datetime]


class What(StrEnum):
    """What there can be a rule for, in the order in which a run goes through it."""

    # Keys of events without a turn; they keep a platform from bringing an event again.
    EVENTS = "events"
    # Whose it is that something was used; the numbers stay.
    USAGE = "usage"
    # Questions with answers, pictures and everything else that belongs to them.
    TURNS = "turns"
    # Pictures alone; the turn stays, and says so.
    PICTURES = "pictures"
    THINKING = "thinking"
    # Names of files that could not be read, and references to those that were never fetched.
    FILES = "files"
    AUDIT = "audit"


# The others hold for the whole installation.
OF_WORKSPACES = (What.TURNS, What.PICTURES, What.THINKING, What.FILES, What.USAGE)
MOST_DAYS = 36_500
# Slack repeats an event for a day, Telegram keeps one for a day, and programs repeat theirs when they like. The last
# days of the audit log are kept by the database itself (migrations/versions/0014_retention.py).
LEAST_DAYS: Mapping[What, int] = {What.EVENTS: 14, What.AUDIT: 30}


def least_days(what: What) -> int:
    """The shortest time that a rule may name."""
    return LEAST_DAYS.get(what, 1)


@dataclass(frozen=True, slots=True)
class Rules:
    """Days by what, where None is for ever: `default`, and by id of a workspace what it has of its own."""

    default: Mapping[What, int | None] = field(default_factory=dict)
    own: Mapping[str, Mapping[What, int | None]] = field(default_factory=dict)

    def days(self, what: What, workspace_id: str | None) -> int | None:
        """How long it is kept; None: for ever."""
        return self.of(workspace_id).get(what, self.default.get(what))

    def age(self, what: What, workspace_id: str | None) -> timedelta | None:
        """The same as a time."""
        days = self.days(what, workspace_id)
        return None if days is None else timedelta(days=days)

    def of(self, workspace_id: str | None) -> Mapping[What, int | None]:
        """What is said for this workspace alone; without one, for all others."""
        return self.default if workspace_id is None else self.own.get(workspace_id, {})

    def changed(self, workspace_id: str | None, what: What, days: int | None, *, said: bool = True) -> "Rules":
        """With another rule; `said=False`: with none, so that the default holds."""
        rules = {known: other for known, other in self.of(workspace_id).items() if known != what}
        rules |= {what: days} if said else {}
        if workspace_id is None:
            return Rules(rules, self.own)
        return Rules(self.default, {**self.own, workspace_id: rules})

    def latest(self, what: What, now: datetime) -> datetime | None:
        """Nothing younger goes anywhere; None: nothing goes at all."""
        known = [self.default.get(what), *(rules.get(what) for rules in self.own.values())]
        days = [number for number in known if number is not None]
        return now - timedelta(days=min(days)) if days else None

    def is_over(self, what: What, now: datetime, workspace_id: Column, at: At) -> ColumnElement[bool]:
        """As a condition: what is of that workspace and that time is to go."""
        return self.is_before(what, workspace_id, at, lambda age: now - age)

    def is_before(
        self, what: What, workspace_id: Column, at: Any, end: Callable[[timedelta], Any]
    ) -> ColumnElement[bool]:
        """The same of any column: `end` makes of an age the first value that is kept."""
        mine = {workspace: rules[what] for workspace, rules in self.own.items() if what in rules}
        alternatives: list[ColumnElement[bool]] = []
        for days in sorted({number for number in mine.values() if number is not None}):
            there = sorted(workspace for workspace, number in mine.items() if number == days)
            alternatives.append(and_(workspace_id.in_(there), at < end(timedelta(days=days))))
        if (number := self.default.get(what)) is not None:
            others = workspace_id.not_in(sorted(mine)) if mine else true()
            alternatives.append(and_(others, at < end(timedelta(days=number))))
        return or_(false(), *alternatives)

    def concerns(self, what: What, workspace_id: str | None, column: Column) -> ColumnElement[bool]:
        """As a condition: the workspaces in which this rule decides."""
        if workspace_id is not None:
            return column == workspace_id
        mine = sorted(workspace for workspace, rules in self.own.items() if what in rules)
        return column.not_in(mine) if mine else true()
