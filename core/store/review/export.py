"""Reading conversations from the first to the last, in short transactions, for whoever takes them elsewhere.

Conversations come by their ids, which grow with time, so that a reader who goes on behind the last one meets each once,
however long he takes; no transaction outlives a page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from core.store.admin_tables import Admin
from core.store.models import Conversation, Feedback, Person, Place, Turn, Workspace
from core.store.review.filters import Wanted
from core.store.review.names import shown_name
from core.store.review.scope import ReadScope
from core.store.review.search import has_words
from core.store.review_tables import Correction, Judgement, Label, TurnFlag, TurnLabel, TurnNote
from core.store.words import Sought

# So many conversations are looked through in one transaction, however few of them are wanted.
WINDOW = 2000
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
class Remark:
    """What an admin, or somebody who asks, said about a turn: `word` is a verdict, a label, a rating or nothing."""

    by: str
    by_id: str
    at: str
    word: str = ""
    text: str = ""


@dataclass(slots=True)
class TurnRecord:
    """A turn with its attachments loaded, and all that was said about it, oldest first."""

    turn: Turn
    person: str
    feedback: list[Remark] = field(default_factory=list)
    labels: list[Remark] = field(default_factory=list)
    flags: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)
    judgements: list[Remark] = field(default_factory=list)
    # What the answer should have been; empty: nobody corrected it, or the correction was taken back.
    correction: str = ""

    @property
    def rating(self) -> int:
        """What those who asked and those who judged say together: 1 good, -1 bad, 0 nothing or both alike."""
        votes = [1 if remark.word == "good" else -1 for remark in self.feedback]
        votes += [{"good": 1, "bad": -1}.get(remark.word, 0) for remark in self.judgements]
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


def read_turns(
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
    rows = session.execute(statement).all()
    return with_remarks(session, [TurnRecord(turn, shown_name(person)) for turn, person in rows])


def with_remarks(session: Session, records: Iterable[TurnRecord]) -> list[TurnRecord]:
    """The same records, with what was said about each."""
    by_turn = {record.turn.id: record for record in records}
    ids = list(by_turn)
    given = select(Feedback, Person).join(Person, Person.id == Feedback.person_id).where(Feedback.turn_id.in_(ids))
    for feedback, person in session.execute(given.order_by(Feedback.created_at, Feedback.id)):
        word = "good" if feedback.rating > 0 else "bad"
        remark = Remark(shown_name(person), person.id, feedback.created_at.isoformat(), word, feedback.reason)
        by_turn[feedback.turn_id].feedback.append(remark)
    labels = select(TurnLabel, Admin, Label.name).join(Label, Label.id == TurnLabel.label_id)
    labels = labels.join(Admin, Admin.id == TurnLabel.admin_id).where(TurnLabel.turn_id.in_(ids))
    for put, admin, name in session.execute(labels.order_by(TurnLabel.id)):
        by_turn[put.turn_id].labels.append(Remark(admin.name, admin.id, put.at.isoformat(), name))
    flags = select(TurnFlag, Admin).join(Admin, Admin.id == TurnFlag.admin_id).where(TurnFlag.turn_id.in_(ids))
    for flag, admin in session.execute(flags.order_by(TurnFlag.id)):
        by_turn[flag.turn_id].flags.append(Remark(admin.name, admin.id, flag.at.isoformat(), "", flag.reason))
    notes = select(TurnNote, Admin).join(Admin, Admin.id == TurnNote.admin_id).where(TurnNote.turn_id.in_(ids))
    for note, admin in session.execute(notes.order_by(TurnNote.id)):
        by_turn[note.turn_id].notes.append(Remark(admin.name, admin.id, note.at.isoformat(), "", note.text))
    judged = select(Judgement, Admin).join(Admin, Admin.id == Judgement.admin_id).where(Judgement.turn_id.in_(ids))
    for judgement, admin in session.execute(judged.order_by(Judgement.id)):
        remark = Remark(admin.name, admin.id, judgement.at.isoformat(), judgement.verdict)
        by_turn[judgement.turn_id].judgements.append(remark)
    latest = select(func.max(Correction.id)).where(Correction.turn_id.in_(ids)).group_by(Correction.turn_id)
    for correction in session.scalars(select(Correction).where(Correction.id.in_(latest))):
        by_turn[correction.turn_id].correction = correction.text.strip()
    return list(by_turn.values())
