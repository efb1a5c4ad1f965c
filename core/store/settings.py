"""What admins decide, in versions: added to and read, never changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from core.store.models import Place, Workspace
from core.store.settings_tables import SettingsVersion
from core.store.upsert import insert_if_new
from core.values import new_id

_KEY = ("level", "target_id", "version")
_COMMENT_CHARS = 300
_LATEST = (
    select(SettingsVersion.level, SettingsVersion.target_id, func.max(SettingsVersion.version).label("version"))
    .group_by(SettingsVersion.level, SettingsVersion.target_id)
    .subquery("latest")
)
_NEWEST = (
    select(SettingsVersion, Place, Workspace)
    .join(
        _LATEST,
        and_(
            SettingsVersion.level == _LATEST.c.level,
            SettingsVersion.target_id == _LATEST.c.target_id,
            SettingsVersion.version == _LATEST.c.version,
        ),
    )
    .outerjoin(Place, and_(SettingsVersion.level == "place", Place.id == SettingsVersion.target_id))
    .outerjoin(
        Workspace,
        or_(
            and_(SettingsVersion.level == "workspace", Workspace.id == SettingsVersion.target_id),
            Workspace.id == Place.workspace_id,
        ),
    )
)
_COUNT = select(func.count()).select_from(SettingsVersion)


class Target(NamedTuple):
    """What a version is for: a word of `core.policy.levels.Level`, and the id of a workspace or place."""

    level: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Versioned:
    """The newest version of a target, with what its platform calls it; empty for the installation."""

    version: int
    document: dict[str, Any]
    platform: str = ""
    workspace: str = ""
    workspace_id: str = ""
    place: str = ""


class SettingsRepository:
    """Nothing here changes or removes a row."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def count(self) -> int:
        """How many versions there are: it grows with every change."""
        return self._session.scalar(_COUNT) or 0

    def newest(self) -> dict[Target, Versioned]:
        """The newest version of every target that is (still) there."""
        found: dict[Target, Versioned] = {}
        for row, place, workspace in self._session.execute(_NEWEST):
            if row.level != "installation" and workspace is None:
                # It is gone, and what was decided for it with it.
                continue
            named = {} if workspace is None else {"platform": workspace.platform, "workspace": workspace.external_id}
            found[Target(row.level, row.target_id)] = Versioned(
                row.version,
                row.document,
                **named,
                workspace_id=workspace.id if workspace is not None else "",
                place=place.external_id if place is not None else "",
            )
        return found

    def current(self, target: Target) -> SettingsVersion | None:
        """The newest version of a target; None: nothing was ever decided."""
        statement = select(SettingsVersion).where(*_of(target)).order_by(SettingsVersion.version.desc()).limit(1)
        return self._session.scalars(statement).one_or_none()

    def get(self, target: Target, version: int) -> SettingsVersion | None:
        """One version."""
        statement = select(SettingsVersion).where(*_of(target), SettingsVersion.version == version)
        return self._session.scalars(statement).one_or_none()

    def history(self, target: Target, *, limit: int, before: int | None = None) -> list[SettingsVersion]:
        """Versions of a target, newest first, below number `before`."""
        statement = select(SettingsVersion).where(*_of(target)).order_by(SettingsVersion.version.desc()).limit(limit)
        if before is not None:
            statement = statement.where(SettingsVersion.version < before)
        return list(self._session.scalars(statement).all())

    def add(
        self,
        target: Target,
        document: dict[str, Any],
        *,
        base: int,
        now: datetime,
        admin_id: str = "",
        admin_name: str = "",
        comment: str = "",
        undone_from: int | None = None,
    ) -> SettingsVersion | None:
        """Add the version behind number `base` (0: none yet); None: somebody else was faster."""
        current = self.current(target)
        if (current.version if current is not None else 0) != base:
            return None
        row = {
            "id": new_id(),
            "level": target.level,
            "target_id": target.id,
            "version": base + 1,
            "document": document,
            "admin_id": admin_id,
            "admin_name": admin_name,
            "comment": comment[:_COMMENT_CHARS],
            "undone_from": undone_from,
            "at": now,
        }
        return insert_if_new(self._session, SettingsVersion, row, _KEY)

    def move_place(self, place_id: str, successor_id: str, now: datetime) -> None:
        """A place has another name from now on, or another place has taken over from it: what was decided for the one
        holds there, unless something was decided for the other. It is one more version, by which everybody notices."""
        moved = self.current(Target("place", place_id))
        there = moved if place_id == successor_id else self.current(Target("place", successor_id))
        if moved is None or (there is not None and there is not moved):
            return
        self.add(
            Target("place", successor_id),
            moved.document,
            base=there.version if there is not None else 0,
            now=now,
            admin_name=moved.admin_name,
            comment="the group has another id now",
        )


def _of(target: Target) -> tuple[Any, Any]:
    return SettingsVersion.level == target.level, SettingsVersion.target_id == target.id
