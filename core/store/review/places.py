"""What the console's filters offer: workspaces, places and models that an admin may read of."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from core.store.ids_sql import is_one_of
from core.store.models import Conversation, Place, Workspace
from core.store.review.facts import ANY_MODEL
from core.store.review.filters import Wanted
from core.store.review.people import NOBODY
from core.store.review.scope import ReadScope
from core.store.review.sources import best_source

# Models and places are those of so many of the latest conversations: reading through all would take long, and old ones
# matter little. Where there are not more places than that, all of them are offered.
LATEST = 500


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
    ids = [one for _, one in best_source(session, scope, Wanted(), NOBODY).read(None, LATEST)]
    latest = session.execute(
        select(Conversation.place_id, Conversation.models).where(is_one_of(session, Conversation.id, ids))
    ).all()
    places = list(session.scalars(select(Place).where(theirs).limit(LATEST + 1)))
    if len(places) > LATEST:
        seen = sorted({row.place_id for row in latest if row.place_id is not None})
        places = list(session.scalars(select(Place).where(is_one_of(session, Place.id, seen))))
    models = {model for row in latest for model in row.models.split("\n")} - {"", ANY_MODEL}
    return Choices(list(workspaces), sorted(places, key=lambda place: place.external_id), sorted(models))


def _any(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(false(), *conditions)
