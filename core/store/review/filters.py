"""What may be asked of conversations and turns in the console, as conditions."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, and_, or_, select

from core.store.columns_sql import seconds_between
from core.store.models import Attachment, Conversation, Feedback, Person, Place, Turn, Workspace
from core.store.review_tables import TurnFlag, TurnLabel
from core.store.turn_guards import HAS_ENDED, IS_OPEN, in_state
from core.values import AttachmentState, TurnState

State = Literal["", "open", "answered", "failed", "cancelled", "handed_over"]
Rating = Literal["", "good", "bad"]
# The words of core.reviewing.ReviewState.
Review = Literal["", "new", "in_review", "done"]
_IN_STATE: dict[str, ColumnElement[bool]] = {
    "open": IS_OPEN,
    "answered": in_state(TurnState.ANSWERED, TurnState.DELIVERED),
    "failed": in_state(TurnState.FAILED),
    "cancelled": in_state(TurnState.CANCELLED),
    "handed_over": in_state(TurnState.HANDED_OVER),
}
# Of `Wanted.assigned`.
NOBODY = "nobody"
FEW_DAYS = timedelta(days=3)
# A place for which nobody has chosen has this mode (core.conversation.personas.PLAIN).
_UNCHOSEN = "plain"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters; an empty one asks for nothing. All must hold; those of turns must hold for one and the same turn."""

    platform: str = ""
    # Ids.
    workspace: str = ""
    place: str = ""
    # The platform's id of somebody, or a part of a name.
    person: str = ""
    # A persona of the place.
    mode: str = ""
    model: str = ""
    state: State = ""
    feedback: Rating = ""
    # With a picture that could be read.
    pictures: bool = False
    # From question to answer, in seconds; 0: any.
    slow_s: float = 0.0
    # The last change of a conversation, the question of a turn.
    since: datetime | None = None
    before: datetime | None = None
    flagged: bool = False
    # An id.
    label: str = ""
    review: Review = ""
    # An admin's id, or `NOBODY`.
    assigned: str = ""
    # When something was asked.
    asked_since: datetime | None = None
    asked_before: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return all(getattr(self, field.name) == field.default for field in fields(self))

    @property
    def _asked_lately(self) -> bool:
        """Whether only some days are looked at, whose turns an index finds."""
        since, before = self.asked_since, self.asked_before
        return since is not None and before is not None and before - since <= FEW_DAYS

    def of_conversation(self) -> Iterator[ColumnElement[bool]]:
        """Conditions on `Conversation`."""
        if self.platform:
            yield Conversation.workspace_id.in_(select(Workspace.id).where(Workspace.platform == self.platform))
        if self.workspace:
            yield Conversation.workspace_id == self.workspace
        if self.place:
            yield Conversation.place_id == self.place
        if self.mode:
            words = [self.mode, ""] if self.mode == _UNCHOSEN else [self.mode]
            yield Conversation.place_id.in_(select(Place.id).where(Place.persona.in_(words)))
        if self.review:
            yield Conversation.review_state == self.review
        if self.assigned == NOBODY:
            yield Conversation.assigned_to.is_(None)
        elif self.assigned:
            # The second condition is the index's own.
            yield and_(Conversation.assigned_to == self.assigned, Conversation.assigned_to.is_not(None))

    def of_turn(self) -> Iterator[ColumnElement[bool]]:
        """Conditions on `Turn`."""
        if self.state:
            yield _IN_STATE[self.state]
        if self.model:
            yield Turn.model == self.model
        if self.person:
            # As it stands, except that `%` and `_` mean themselves.
            known = Person.display_name.icontains(self.person, autoescape=True)
            yield Turn.person_id.in_(select(Person.id).where(or_(Person.external_id == self.person, known)))
        if self.feedback:
            rating = Feedback.rating == (1 if self.feedback == "good" else -1)
            yield Turn.id.in_(select(Feedback.turn_id).where(rating))
        if self.pictures:
            stored = Attachment.state == AttachmentState.STORED
            yield select(Attachment.id).where(Attachment.turn_id == Turn.id, stored).correlate(Turn).exists()
        if self.asked_since is not None:
            yield Turn.created_at >= self.asked_since
        if self.asked_before is not None:
            yield Turn.created_at < self.asked_before
        if self.slow_s:
            yield seconds_between(Turn.created_at, Turn.finished_at) >= self.slow_s
        if self.flagged:
            yield Turn.id.in_(select(TurnFlag.turn_id))
        if self.label:
            yield Turn.id.in_(select(TurnLabel.turn_id).where(TurnLabel.label_id == self.label))

    def conversations(self) -> ColumnElement[bool]:
        """The conversation is one of those, by its own columns and by one of its turns."""
        conditions = list(self.of_conversation())
        if self.since is not None:
            conditions.append(Conversation.updated_at >= self.since)
        if self.before is not None:
            conditions.append(Conversation.updated_at < self.before)
        turn = list(self.of_turn())
        # These are few, and found through an index: a set of conversations, made once.
        found = select(Turn.conversation_id).where(*turn)
        if turn and (
            self.feedback or self.flagged or self.label or self.state in ("open", "failed") or self._asked_lately
        ):
            conditions.append(Conversation.id.in_(found))
        elif self.person:
            # Each half has an index of its own.
            conditions.append(
                or_(Conversation.id.in_(found.where(HAS_ENDED)), Conversation.id.in_(found.where(IS_OPEN)))
            )
        elif turn:
            mine = select(Turn.id).where(Turn.conversation_id == Conversation.id, *turn)
            conditions.append(mine.correlate(Conversation).exists())
        return and_(True, *conditions)

    def turns(self) -> ColumnElement[bool]:
        """The turn, joined with its conversation, is one of those."""
        conditions = [*self.of_conversation(), *self.of_turn()]
        if self.since is not None:
            conditions.append(Turn.created_at >= self.since)
        if self.before is not None:
            conditions.append(Turn.created_at < self.before)
        return and_(True, *conditions)
