"""What the console's filters offer: workspaces, places and models that an admin may read of."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from core.store.models import Conversation, Place, Turn, Workspace
from core.store.review.scope import ReadScope

# Models are taken from so many of the latest turns: reading through all would take long, and old ones matter little.
LATEST = 500
MOST_PLACES = 500


@dataclass(frozen=True, slots=True)
class Choices:
    """Each list is sorted by what is shown."""

    workspaces: list[Workspace]
    places: list[Place]
    models: list[str]


def find_place(session: Session, scope: ReadScope, place_id: str) -> tuple[Place, Workspace] | None:
    """A place that may be read of, and its workspace."""
    statement = select(Place, Workspace).join(Workspace, Workspace.id == Place.workspace_id).where(Place.id == place_id)
    found = session.execute(statement).one_or_none()
    if found is None:
        return None
    place, workspace = found
    mine = scope.everywhere or place.id in scope.places or workspace.id in scope.workspaces
    return (place, workspace) if mine else None


def find_workspace(session: Session, scope: ReadScope, workspace_id: str) -> Workspace | None:
    """A workspace all of which may be read of."""
    mine = scope.everywhere or workspace_id in scope.workspaces
    return session.get(Workspace, workspace_id) if mine else None


def list_choices(session: Session, scope: ReadScope) -> Choices:
    """What there is to choose from."""
    in_places = select(Place.workspace_id).where(Place.id.in_(sorted(scope.places)))
    mine = true() if scope.everywhere else _any(Workspace.id.in_(sorted(scope.workspaces)), Workspace.id.in_(in_places))
    workspaces = session.scalars(select(Workspace).where(mine).order_by(Workspace.platform, Workspace.name))
    theirs = (
        true()
        if scope.everywhere
        else _any(Place.workspace_id.in_(sorted(scope.workspaces)), Place.id.in_(sorted(scope.places)))
    )
    places = session.scalars(select(Place).where(theirs).order_by(Place.external_id).limit(MOST_PLACES))
    latest = (
        select(Turn.model)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(scope.allows())
        .order_by(Turn.id.desc())
        .limit(LATEST)
        .subquery()
    )
    models = session.scalars(select(latest.c.model).distinct().where(latest.c.model != "").order_by(latest.c.model))
    return Choices(list(workspaces), list(places), list(models))


def _any(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(false(), *conditions)
