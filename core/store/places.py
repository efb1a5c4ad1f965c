"""Places: where on a platform conversations take place, and what was chosen for each."""

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from core.store.models import Conversation, Place
from core.store.upsert import insert_if_new
from core.values import new_id

_BY_NAME = select(Place).where(
    Place.workspace_id == bindparam("workspace_id"), Place.external_id == bindparam("external_id")
)
_FRESH = {"populate_existing": True}


class PlaceRepository:
    """A place appears on first sight."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_or_create(self, workspace_id: str, external_id: str) -> Place:
        """The place that the platform knows by this id, as it is now."""
        place = self.known(workspace_id, external_id)
        if place is None:
            known = {"workspace_id": workspace_id, "external_id": external_id}
            new = {"id": new_id(), **known}
            place = insert_if_new(self._session, Place, new, ("workspace_id", "external_id"))
            place = place or self._session.scalars(_BY_NAME, known).one()
        return place

    def known(self, workspace_id: str, external_id: str) -> Place | None:
        """The place as it is now; None: never seen. Writes nothing."""
        known = {"workspace_id": workspace_id, "external_id": external_id}
        return self._session.scalars(_BY_NAME, known, execution_options=_FRESH).one_or_none()

    def of_conversation(self, conversation: Conversation) -> Place | None:
        """Where a conversation takes place; None: nowhere in particular."""
        if conversation.place_id is None:
            return None
        return self._session.get(Place, conversation.place_id, populate_existing=True)

    def set_persona(self, place_id: str, persona: str) -> None:
        """Choose who answers here from the next answer on."""
        self._session.execute(
            update(Place)
            .where(Place.id == place_id)
            .values(persona=persona)
            .execution_options(synchronize_session=False)
        )

    def begin_anew(self, place_id: str) -> None:
        """What is asked next here without a thread begins a new conversation."""
        self._session.execute(
            update(Place)
            .where(Place.id == place_id)
            .values(epoch=Place.epoch + 1)
            .execution_options(synchronize_session=False)
        )


def conversation_name(place: Place) -> str:
    """The platform's name of the conversation that goes on at a place without threads."""
    return f"{place.external_id}#{place.epoch}"
