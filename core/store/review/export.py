"""Reading conversations from the first to the last, in short transactions, for whoever takes them elsewhere.

Conversations come by their ids, which grow with time, so that a reader who goes on behind the last one meets each once,
however long he takes; no transaction outlives a page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.orm import Session, selectinload

from core.reviewing import Verdict
from core.store.models import Conversation, Feedback, Person, Place, Turn, Workspace
from core.store.review.filters import Wanted
from core.store.review.names import shown_name
from core.store.review.remarks import Remarks, read_remarks
from core.store.review.scope import ReadScope
from core.store.review.worded import has_words
from core.store.words import Sought

# So many conversations are looked through in one transaction, however few of them are wanted.
WINDOW = 2000
_VOTES = {Verdict.GOOD.value: 1, Verdict.BAD.value: -1}
# Id of a conversation, number of a turn in it.
Spot = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Head:
    """A conversation, and where it takes place."""

    conversation: Conversation
    workspace: Workspace
    place: Place | None


@dataclass(frozen=True, slots=True)
class Heads:
    """Conversations by their ids; `next` is the one behind which the following page begins, None at the end."""

    rows: list[Head]
    next: str | None


@dataclass(frozen=True, slots=True)
class Rated:
    """Somebody's feedback: +1 or -1, and why."""

    person_id: str
    person: str
    rating: int
    reason: str
    at: datetime


@dataclass(slots=True)
class TurnRecord:
    """A turn with its files loaded, and all that was said about it, oldest first."""

    turn: Turn
    person: str
    feedback: list[Rated] = field(default_factory=list)
    remarks: Remarks = field(default_factory=Remarks)

    @property
    def correction(self) -> str:
        """What the answer should have been; empty: it is as it should be."""
        corrected = self.remarks.corrected
        return "" if corrected is None else corrected.text.strip()

    @property
    def rating(self) -> int:
        """What those who asked and those who judged say together: 1 good, -1 bad, 0 nothing or both alike."""
        votes = [rated.rating for rated in self.feedback]
        votes += [_VOTES.get(said.text, 0) for said in self.remarks.judgements]
        total = sum(votes)
        return (total > 0) - (total < 0)


def read_heads(
    session: Session,
    scope: ReadScope,
    wanted: Wanted,
    sought: Sequence[Sought],
    *,
    after: str,
    limit: int,
    window: int = WINDOW,
) -> Heads:
    """Conversations that may be read, are wanted and have a turn with all of these words.

    At most `limit`, out of the next `window`: a page may be empty and not the last one.
    """
    ids = select(Conversation.id).where(Conversation.id > after, scope.allows()).order_by(Conversation.id)
    last = session.scalar(ids.offset(window - 1).limit(1))
    statement = (
        select(Conversation, Workspace, Place)
        .join(Workspace, Workspace.id == Conversation.workspace_id)
        .outerjoin(Place, Place.id == Conversation.place_id)
        .where(scope.allows(), _asked_for(session, wanted, sought), Conversation.id > after)
        .order_by(Conversation.id)
        .limit(limit + 1)
    )
    if last is not None:
        statement = statement.where(Conversation.id <= last)
    found = [Head(*row) for row in session.execute(statement)]
    if len(found) > limit:
        return Heads(found[:limit], found[limit - 1].conversation.id)
    return Heads(found, last)


def _asked_for(session: Session, wanted: Wanted, sought: Sequence[Sought]) -> ColumnElement[bool]:
    if not sought:
        return wanted.conversations()
    # As in a list of hits: all that is asked of turns holds for the one that has the words.
    here = select(Turn.id).where(Turn.conversation_id == Conversation.id, has_words(session, sought), wanted.turns())
    return here.correlate(Conversation).exists()


def read_records(
    session: Session, scope: ReadScope, conversation_ids: Sequence[str], *, after: Spot | None, limit: int
) -> list[TurnRecord]:
    """The turns of these conversations behind that place, in the order of conversations and numbers."""
    statement = (
        select(Turn, Person)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .join(Person, Person.id == Turn.person_id)
        .where(scope.allows(), Turn.conversation_id.in_(conversation_ids))
        .order_by(Turn.conversation_id, Turn.seq)
        .limit(limit)
        .options(selectinload(Turn.attachments), selectinload(Turn.answer_pictures))
    )
    if after is not None:
        here, seq = after
        statement = statement.where(
            or_(Turn.conversation_id > here, and_(Turn.conversation_id == here, Turn.seq > seq))
        )
    return records_of(session, scope, session.execute(statement))


def records_of(session: Session, scope: ReadScope, rows: Iterable[Row[Turn, Person]]) -> list[TurnRecord]:
    """Turns with the people who asked, and with what was said about each."""
    records = {turn.id: TurnRecord(turn, shown_name(person)) for turn, person in rows}
    given = select(Feedback, Person).join(Person, Person.id == Feedback.person_id).where(Feedback.turn_id.in_(records))
    for feedback, person in session.execute(given.order_by(Feedback.created_at, Feedback.id)):
        rated = Rated(person.id, shown_name(person), feedback.rating, feedback.reason, feedback.created_at)
        records[feedback.turn_id].feedback.append(rated)
    for turn_id, remarks in read_remarks(session, scope, list(records)).items():
        records[turn_id].remarks = remarks
    return list(records.values())
