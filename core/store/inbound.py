"""Which platform events were taken in already: platforms repeat what was not acknowledged in time."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.store.models import InboundEvent
from core.store.upsert import insert_all_if_new, insert_if_new
from core.values import Platform, new_id

_FIND = select(InboundEvent).where(
    InboundEvent.platform == bindparam("platform"), InboundEvent.event_key == bindparam("event_key")
)


class InboundRepository:
    """One row for each event, by the platform's own key."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def first(self, platform: Platform, event_key: str, turn_id: str | None = None, *, content_hash: str = "") -> bool:
        """Take the event in; False: it was taken in before.

        If another transaction is taking in the same event right now, this waits for its end. `turn_id` may name a
        turn that is added later in the same transaction.
        """
        event = {
            "id": new_id(),
            "platform": platform,
            "event_key": event_key,
            "content_hash": content_hash,
            "turn_id": turn_id,
        }
        return insert_if_new(self._session, InboundEvent, event, ("platform", "event_key")) is not None

    def take_in(self, platform: Platform, event_keys: Sequence[str], turn_id: str, *, content_hash: str = "") -> bool:
        """Take an event in under several keys; False: at least one of them was there, so the transaction must be
        undone. Waits and may be early like `first`."""
        common = {"platform": platform, "content_hash": content_hash, "turn_id": turn_id}
        rows = [{"id": new_id(), "event_key": key, **common} for key in event_keys]
        return insert_all_if_new(self._session, InboundEvent, rows, ("platform", "event_key")) == len(rows)

    def find(self, platform: Platform, event_key: str) -> InboundEvent | None:
        """The event as it was taken in; None: never seen."""
        return self._session.scalars(_FIND, {"platform": platform, "event_key": event_key}).one_or_none()
