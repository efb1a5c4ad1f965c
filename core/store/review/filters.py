"""What may be asked of conversations and turns in the console, as conditions."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from core.store.columns_sql import seconds_between
from core.store.models import Attachment, Conversation, Feedback, Person, Place, Turn, Workspace
from core.store.review.modes import NOWHERE, Unchosen, has_mode, unchosen_with
from core.store.review_tables import TurnFlag, TurnLabel
from core.store.takeovers import IS_TAKEN
from core.store.turn_guards import IS_OPEN, in_state
from core.values import AttachmentState, TurnState

State = Literal["", "open", "answered", "failed", "cancelled", "handed_over"]
Rating = Literal["", "good", "bad"]
# The words of core.reviewing.ReviewState.
Review = Literal["", "new", "in_review", "done"]
# Who answers: a human whom nobody is yet, or one who has taken over.
Human = Literal["", "waiting", "taken"]
_IN_STATE: dict[str, ColumnElement[bool]] = {
    "open": IS_OPEN,
    "answered": in_state(TurnState.ANSWERED, TurnState.DELIVERED),
    "failed": in_state(TurnState.FAILED),
    "cancelled": in_state(TurnState.CANCELLED),
    "handed_over": in_state(TurnState.HANDED_OVER),
}
# Of `Wanted.assigned`.
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters; an empty one asks for nothing. All must hold; those of turns must hold for one and the same turn."""

    platform: str = ""
    # Ids.
    workspace: str = ""
    place: str = ""
    # The platform's id of somebody, or a part of a name.
    person: str = ""
    # A persona that answers at the place, and where it does if nobody has chosen one.
    mode: str = ""
    unchosen: Unchosen = NOWHERE
    model: str = ""
    state: State = ""
    feedback: Rating = ""
    human: Human = ""
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

    def decided(self, session: Session) -> "Wanted":
        """The same, with what admins have decided by now about modes."""
        return replace(self, unchosen=unchosen_with(session, self.mode)) if self.mode else self

    def of_conversation(
        self, workspace: Any = Conversation.workspace_id, place: Any = Conversation.place_id
    ) -> Iterator[ColumnElement[bool]]:
        """Conditions on `Conversation`, of which these are the columns. Looked up for each row, so that it costs
        what there are rows."""
        if self.platform:
            yield self.workspaces_of_platform().where(Workspace.id == workspace).correlate(Conversation).exists()
        if self.workspace:
            yield workspace == self.workspace
        if self.place:
            yield place == self.place
        if self.human == "waiting":
            yield and_(Conversation.handed_over_at.is_not(None), ~IS_TAKEN)
        elif self.human == "taken":
            yield IS_TAKEN
        if self.mode:
            yield self.places_of_mode().where(Place.id == place).correlate(Conversation).exists()
        if self.review:
            yield Conversation.review_state == self.review
        if self.assigned == NOBODY:
            yield Conversation.assigned_to.is_(None)
        elif self.assigned:
            # The second condition is the index's own.
            yield and_(Conversation.assigned_to == self.assigned, Conversation.assigned_to.is_not(None))

    def workspaces_of_platform(self) -> Select[str]:
        """Ids of its workspaces."""
        return select(Workspace.id).where(Workspace.platform == self.platform)

    def places_of_mode(self) -> Select[str]:
        """Ids of the places that have the mode."""
        return select(Place.id).where(has_mode(self.mode, self.unchosen))

    def is_person(self) -> ColumnElement[bool]:
        """The `Person` is meant."""
        # As it stands, except that `%` and `_` mean themselves.
        known = Person.display_name.icontains(self.person, autoescape=True)
        return or_(Person.external_id == self.person, known)

    def of_turn(self, by_person: ColumnElement[bool] | None = None) -> Iterator[ColumnElement[bool]]:
        """Conditions on `Turn`. `by_person`: a shorter way to say that the person asked it."""
        if self.state:
            yield _IN_STATE[self.state]
        if self.model:
            yield Turn.model == self.model
        if self.person:
            asked = select(Person.id).where(Person.id == Turn.person_id, self.is_person()).correlate(Turn).exists()
            yield asked if by_person is None else by_person
        if self.feedback:
            rating = Feedback.rating == (1 if self.feedback == "good" else -1)
            yield select(Feedback.id).where(Feedback.turn_id == Turn.id, rating).correlate(Turn).exists()
        if self.pictures:
            stored = Attachment.state == AttachmentState.STORED
            yield select(Attachment.id).where(Attachment.turn_id == Turn.id, stored).correlate(Turn).exists()
        yield from self.asked()
        if self.slow_s:
            yield seconds_between(Turn.created_at, Turn.finished_at) >= self.slow_s
        if self.flagged:
            yield select(TurnFlag.turn_id).where(TurnFlag.turn_id == Turn.id).correlate(Turn).exists()
        if self.label:
            labelled = (TurnLabel.turn_id == Turn.id, TurnLabel.label_id == self.label)
            yield select(TurnLabel.turn_id).where(*labelled).correlate(Turn).exists()

    def asked(self) -> Iterator[ColumnElement[bool]]:
        """Conditions on when `Turn` was asked."""
        if self.asked_since is not None:
            yield Turn.created_at >= self.asked_since
        if self.asked_before is not None:
            yield Turn.created_at < self.asked_before

    def changed(self) -> Iterator[ColumnElement[bool]]:
        """Conditions on the last change of `Conversation`."""
        if self.since is not None:
            yield Conversation.updated_at >= self.since
        if self.before is not None:
            yield Conversation.updated_at < self.before

    def conversations(self, by_person: ColumnElement[bool] | None = None) -> ColumnElement[bool]:
        """The conversation is one of those, by its own columns and by one of its turns."""
        conditions = [*self.of_conversation(), *self.changed()]
        turn = list(self.of_turn(by_person))
        if turn:
            mine = select(Turn.id).where(Turn.conversation_id == Conversation.id, *turn)
            conditions.append(mine.correlate(Conversation).exists())
        return and_(True, *conditions)

    def turns(self, by_person: ColumnElement[bool] | None = None) -> ColumnElement[bool]:
        """The turn, joined with its conversation, is one of those."""
        conditions = [*self.of_conversation(), *self.of_turn(by_person)]
        if self.since is not None:
            conditions.append(Turn.created_at >= self.since)
        if self.before is not None:
            conditions.append(Turn.created_at < self.before)
        return and_(True, *conditions)
