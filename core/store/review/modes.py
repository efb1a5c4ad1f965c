"""At which places a mode answers: where people chose it, and where nobody chose and admins say so (`core.policy`)."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, or_, true, tuple_
from sqlalchemy.orm import Session

from core.policy.levels import place_around
from core.policy.snapshot import Snapshot, snapshot_of
from core.store.columns_sql import before_colon
from core.store.models import Place
from core.store.settings import SettingsRepository

# A workspace's id and the platform's name of a place.
Named = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Unchosen:
    """Whether a mode answers at places where nobody has chosen: in general, and where it is decided otherwise."""

    everywhere: bool = False
    workspaces: frozenset[str] = frozenset()
    other_workspaces: frozenset[str] = frozenset()
    places: frozenset[Named] = frozenset()
    other_places: frozenset[Named] = frozenset()

    def condition(self) -> ColumnElement[bool]:
        """It answers at `Place`, if nobody has chosen."""
        general: ColumnElement[bool] = Place.workspace_id.in_(sorted(self.workspaces))
        if self.everywhere:
            general = or_(general, Place.workspace_id.not_in(sorted(self.other_workspaces)))
        own = tuple_(Place.workspace_id, Place.external_id)
        # A topic is as its group, unless it is decided for itself.
        around = tuple_(Place.workspace_id, before_colon(Place.external_id))
        decided: list[tuple[Any, Any]] = []
        for place, is_group in ((own, False), (around, True)):
            for names, answers in ((self.places, True), (self.other_places, False)):
                if those := sorted(name for name in names if not is_group or place_around(f"{name[1]}:0")):
                    decided.append((place.in_(those), true() if answers else false()))
        return case(*decided, else_=general) if decided else general


NOWHERE = Unchosen()


def unchosen_with(session: Session, mode: str) -> Unchosen:
    """Where that mode answers if nobody has chosen, as admins have decided by now."""
    return _unchosen(snapshot_of(SettingsRepository(session).newest()), mode)


def has_mode(mode: str, unchosen: Unchosen) -> ColumnElement[bool]:
    """The mode answers at `Place`."""
    return or_(Place.persona == mode, and_(Place.persona == "", unchosen.condition()))


def _unchosen(policies: Snapshot, mode: str) -> Unchosen:
    workspaces = {one: policies.of(one).default_persona() == mode for one in policies.workspaces}
    places = {(one, place): policies.of(one, place).default_persona() == mode for one, place in policies.places}
    return Unchosen(
        policies.of("").default_persona() == mode,
        frozenset(one for one, answers in workspaces.items() if answers),
        frozenset(one for one, answers in workspaces.items() if not answers),
        frozenset(name for name, answers in places.items() if answers),
        frozenset(name for name, answers in places.items() if not answers),
    )
