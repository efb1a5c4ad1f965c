"""Whom a caller is in SQL, where he is, and what of it he may touch. Synchronous: called through a thread."""

from dataclasses import dataclass

from bots.chat.reply import Caller
from bots.chat.texts import Texts, texts_for
from core.errors import NotFound
from core.store.database import Repositories, Store
from core.store.models import Conversation, Person, Place, Turn, Workspace
from core.store.places import conversation_name


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The rows behind a caller. `conversation` is the one that he is in; None: nothing was asked there yet."""

    workspace: Workspace
    person: Person
    place: Place
    conversation: Conversation | None

    @property
    def texts(self) -> Texts:
        """In the language of this person."""
        return texts_for(self.person.language or self.person.locale)


def find_caller(store: Store, caller: Caller) -> Whereabouts:
    """The caller's rows, made where he or the place was never seen."""
    with store.write() as repositories:
        workspace = repositories.people.workspace(caller.platform, caller.workspace)
        person = repositories.people.person(workspace.id, caller.person, caller.person_name, caller.locale)
        place = repositories.places.get_or_create(workspace.id, caller.place)
        name = caller.conversation or conversation_name(place)
        conversation = repositories.conversations.by_name(workspace.id, name)
        return Whereabouts(workspace, person, place, conversation)


def turn_here(repositories: Repositories, where: Whereabouts, turn_id: str) -> Turn:
    """The turn, if it belongs to the place that the caller is at.

    Raises:
        NotFound: there is none (any more), or it is elsewhere.
    """
    turn = repositories.turns.get(turn_id)
    conversation = repositories.conversations.get(turn.conversation_id) if turn is not None else None
    if turn is None or conversation is None or conversation.place_id != where.place.id:
        raise NotFound
    return turn
