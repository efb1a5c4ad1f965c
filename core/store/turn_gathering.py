"""Turns that are gathering: how long they wait for more, and how a question is taken back into it.

A gathering turn's `not_before` says until when it waits for what may still belong to it; without one it waits for its
files only.
"""

from datetime import datetime

from sqlalchemy import bindparam, or_, select, update

from core.store.columns import UtcDateTime
from core.store.models import Conversation, Place, Turn
from core.store.turn_guards import FRESH, IS_OPEN, TURN_ID
from core.store.turn_rows import TurnRows
from core.values import TurnState

# PostgreSQL; SQLite has one writer anyway.
_HOLD_OPEN = (
    select(Turn)
    .where(Turn.id == TURN_ID, IS_OPEN, Turn.cancel_requested.is_(False))
    .with_for_update()
    .execution_options(populate_existing=True)
)
# Whoever is at it holds a lease that is not there any more, so whatever it writes is refused.
_RECALL = (
    update(Turn)
    .where(Turn.id == TURN_ID, IS_OPEN, Turn.cancel_requested.is_(False))
    .values(
        state=TurnState.GATHERING,
        not_before=bindparam("until", type_=UtcDateTime()),
        question=bindparam("whole_question"),
        ready_at=None,
        dispatch_again_at=None,
        lease_owner="",
        lease_until=None,
    )
    .returning(Turn)
    .execution_options(**FRESH)
)
_OPEN_AT = (
    select(Turn.id)
    .join(Conversation, Conversation.id == Turn.conversation_id)
    .join(Place, Place.id == Conversation.place_id)
    .where(
        IS_OPEN,
        Place.workspace_id == bindparam("workspace_id"),
        or_(Place.external_id == bindparam("place"), Place.external_id.startswith(bindparam("inside"))),
    )
    .order_by(Turn.id)
)


class TurnGathering(TurnRows):
    """Intake's part of the turn repository for questions that come in several messages."""

    def hold_open(self, turn_id: str) -> Turn | None:
        """The turn, which nobody changes until the commit; None: it has ended, or is asked to. Without attachments."""
        return self._session.scalars(_HOLD_OPEN, {"turn_id": turn_id}).one_or_none()

    def recall(self, turn_id: str, question: str, until: datetime) -> bool:
        """gathering, ready or running → gathering until `until`, because more of the question has arrived.

        An attempt that runs is over: it can write nothing any more. False: the turn has ended, or is asked to.
        """
        changed = self._changed(_RECALL, turn_id=turn_id, whole_question=question, until=until)
        return changed is not None

    def open_at(self, workspace_id: str, place: str) -> list[str]:
        """Ids of the turns that have not ended at a place (the platform's name) and at those inside it, whose names
        begin with its name and a colon; oldest first."""
        parameters = {"workspace_id": workspace_id, "place": place, "inside": f"{place}:"}
        return list(self._session.scalars(_OPEN_AT, parameters).all())
