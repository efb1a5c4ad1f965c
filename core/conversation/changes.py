"""What may still change about a question after it was committed."""

from core.store.database import Store
from core.store.models import Turn
from core.values import Platform


def turn_of_event(store: Store, platform: Platform, event_key: str) -> Turn | None:
    """The turn that an event became; None: it became none. Blocking.

    Raises:
        StoreError: the database is gone.
    """
    with store.read() as repositories:
        event = repositories.inbound.find(platform, event_key)
        if event is None or event.turn_id is None:
            return None
        return repositories.turns.get(event.turn_id)


def replace_question(store: Store, turn_id: str, question: str) -> bool:
    """The question reads differently now; False: its answer has begun already. Blocking.

    Raises:
        StoreError: nothing was written.
    """
    with store.write() as repositories:
        return repositories.turns.replace_question(turn_id, question)
