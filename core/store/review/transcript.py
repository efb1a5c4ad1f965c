"""One conversation as the console shows it: turns with everything that belongs to them."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from core.store.admin_tables import Admin
from core.store.models import (
    Attachment,
    Conversation,
    ConversationHold,
    Delivery,
    Feedback,
    Person,
    Place,
    Post,
    Turn,
    Usage,
    Workspace,
)
from core.store.review.names import shown_name
from core.store.review.scope import ReadScope

_FILES = (selectinload(Turn.attachments), selectinload(Turn.answer_pictures))


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person's feedback."""

    person: str
    rating: int
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """How an answer got to its platform: the outbox row, and how many messages show it."""

    delivery: Delivery
    posts: int


@dataclass(slots=True)
class TurnPage:
    """A turn, with its attachments and the pictures of its answer loaded."""

    turn: Turn
    person: str
    verdicts: list[Verdict] = field(default_factory=list)
    deliveries: list[Told] = field(default_factory=list)
    # What each attempt cost, first one first.
    usage: list[Usage] = field(default_factory=list)
    # The admin whose words the answer is; empty: the model's.
    answerer: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A stretch of a conversation, oldest turn first. `earlier` and `later`: there are turns before and behind it."""

    conversation: Conversation
    workspace: Workspace
    place: Place | None
    person: Person
    turns: list[TurnPage]
    earlier: bool
    later: bool
    # It must be kept, whatever the rules of retention say.
    held: bool


def read_transcript(
    session: Session, scope: ReadScope, conversation_id: str, *, limit: int, around: int | None
) -> Transcript | None:
    """The last `limit` turns, or those from turn `around` (its number) on with a few before it.

    None: no such conversation, or none that may be read.
    """
    head = session.execute(
        select(Conversation, Workspace, Place, Person)
        .join(Workspace, Workspace.id == Conversation.workspace_id)
        .join(Person, Person.id == Conversation.person_id)
        .outerjoin(Place, Place.id == Conversation.place_id)
        .where(scope.allows(), Conversation.id == conversation_id)
    ).one_or_none()
    if head is None:
        return None
    conversation, workspace, place, person = head
    mine = select(Turn).where(Turn.conversation_id == conversation_id).options(*_FILES)
    if around is None:
        turns = list(session.scalars(mine.order_by(Turn.seq.desc()).limit(limit)))[::-1]
    else:
        turns = list(session.scalars(mine.where(Turn.seq > around - limit // 4).order_by(Turn.seq).limit(limit)))
    pages = _with_all(session, turns)
    first, last = (turns[0].seq, turns[-1].seq) if turns else (1, 0)
    other = select(Turn.id).where(Turn.conversation_id == conversation_id).limit(1)
    earlier = session.scalar(other.where(Turn.seq < first)) is not None
    later = session.scalar(other.where(Turn.seq > last)) is not None
    held = session.get(ConversationHold, conversation_id) is not None
    return Transcript(conversation, workspace, place, person, pages, earlier, later, held)


def read_later(
    session: Session, scope: ReadScope, conversation_id: str, *, after: int, limit: int
) -> list[TurnPage] | None:
    """The turns behind number `after`; None: no such conversation, or none that may be read."""
    allowed = select(Conversation.last_seq).where(scope.allows(), Conversation.id == conversation_id)
    last_seq = session.scalar(allowed)
    if last_seq is None or last_seq <= after:
        return None if last_seq is None else []
    mine = select(Turn).where(Turn.conversation_id == conversation_id, Turn.seq > after)
    turns = session.scalars(mine.order_by(Turn.seq).limit(limit).options(*_FILES))
    return _with_all(session, list(turns))


def read_turn(session: Session, scope: ReadScope, turn_id: str) -> TurnPage | None:
    """One turn; None: no such turn, or none that may be read."""
    turn = session.scalars(
        select(Turn)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(scope.allows(), Turn.id == turn_id)
        .options(*_FILES)
    ).one_or_none()
    return None if turn is None else _with_all(session, [turn])[0]


def read_turns(session: Session, scope: ReadScope, turn_ids: Collection[str]) -> list[TurnPage]:
    """Those of the turns that may be read, in order."""
    if not turn_ids:
        return []
    turns = session.scalars(
        select(Turn)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(scope.allows(), Turn.id.in_(turn_ids))
        .order_by(Turn.seq)
        .options(*_FILES)
    )
    return _with_all(session, list(turns))


def find_attachment(session: Session, scope: ReadScope, attachment_id: str) -> tuple[Attachment, Turn] | None:
    """A file and the turn that it came with; None: none that may be read."""
    row = session.execute(
        select(Attachment, Turn)
        .join(Turn, Turn.id == Attachment.turn_id)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(scope.allows(), Attachment.id == attachment_id)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def latest_pictures(session: Session, scope: ReadScope, conversation_id: str, before_seq: int) -> list[Attachment]:
    """Files of the last turn before `before_seq` that had any."""
    turn = session.scalars(
        select(Turn)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(scope.allows(), Turn.conversation_id == conversation_id, Turn.seq < before_seq, Turn.attachments.any())
        .order_by(Turn.seq.desc())
        .limit(1)
        .options(selectinload(Turn.attachments))
    ).one_or_none()
    return [] if turn is None else list(turn.attachments)


def _with_all(session: Session, turns: list[Turn]) -> list[TurnPage]:
    ids = [turn.id for turn in turns]
    names = {
        person.id: shown_name(person)
        for person in session.scalars(select(Person).where(Person.id.in_({turn.person_id for turn in turns})))
    }
    pages = {turn.id: TurnPage(turn, names.get(turn.person_id, "")) for turn in turns}
    humans = {turn.answered_by for turn in turns if turn.answered_by}
    if humans:
        admins = {row[0]: row[1] for row in session.execute(select(Admin.id, Admin.name).where(Admin.id.in_(humans)))}
        for page in pages.values():
            if page.turn.answered_by:
                page.answerer = admins.get(page.turn.answered_by, "somebody who is no admin any more")
    verdicts = (
        select(Feedback, Person)
        .join(Person, Person.id == Feedback.person_id)
        .where(Feedback.turn_id.in_(ids))
        .order_by(Feedback.created_at, Feedback.id)
    )
    for feedback, person in session.execute(verdicts):
        name = shown_name(person)
        pages[feedback.turn_id].verdicts.append(Verdict(name, feedback.rating, feedback.reason))
    posts = select(func.count()).where(Post.delivery_id == Delivery.id).correlate(Delivery).scalar_subquery()
    deliveries = select(Delivery, posts).where(Delivery.turn_id.in_(ids)).order_by(Delivery.created_at, Delivery.id)
    for delivery, count in session.execute(deliveries):
        pages[delivery.turn_id].deliveries.append(Told(delivery, count))
    for usage in session.scalars(select(Usage).where(Usage.turn_id.in_(ids)).order_by(Usage.turn_id, Usage.attempt)):
        pages[usage.turn_id].usage.append(usage)
    return list(pages.values())
