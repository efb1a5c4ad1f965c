"""What is kept of a person or of a conversation: where, how much, since when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from core.store.models import (
    Attachment,
    Conversation,
    ConversationHold,
    Erasure,
    Feedback,
    Person,
    Place,
    Turn,
    Workspace,
)
from core.store.review.scope import ReadScope
from core.store.turn_guards import HAS_ENDED, IS_OPEN
from core.values import AttachmentState

LATEST = 20


@dataclass(frozen=True, slots=True)
class Kept:
    """How much it is. `people` have asked; `byte_size` of the pictures, each as often as it was sent; `held` turns are
    in conversations that must be kept.
    """

    turns: int
    open: int
    conversations: int
    people: int
    pictures: int
    byte_size: int
    feedback: int
    held: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class PersonKept:
    """A person, and the latest conversations in which this person asked. `erased`: when that happened last."""

    person: Person
    workspace: Workspace
    kept: Kept
    conversations: Sequence[tuple[Conversation, Place | None]]
    erased: Erasure | None


@dataclass(frozen=True, slots=True)
class ConversationKept:
    """A conversation, and why it must be kept, if it must."""

    conversation: Conversation
    workspace: Workspace
    place: Place | None
    kept: Kept
    hold: ConversationHold | None


def read_person(session: Session, scope: ReadScope, person_id: str) -> PersonKept | None:
    """Only what may be read is counted. None: no such person, or none who asked where one may read."""
    row = session.execute(
        select(Person, Workspace).join(Workspace, Workspace.id == Person.workspace_id).where(Person.id == person_id)
    ).one_or_none()
    if row is None:
        return None
    # Each half has an index of its own.
    halves = [
        select(Turn.id, Turn.conversation_id).where(Turn.person_id == person_id, half) for half in (HAS_ENDED, IS_OPEN)
    ]
    all_ = union_all(*halves).subquery()
    mine = (
        select(all_.c.id, all_.c.conversation_id)
        .join(Conversation, Conversation.id == all_.c.conversation_id)
        .where(scope.allows())
    )
    feedback = select(func.count()).select_from(Feedback).where(Feedback.person_id == person_id)
    kept = _kept(session, mine, session.scalar(feedback) or 0 if scope.everywhere else 0)
    if not kept.turns and not scope.everywhere:
        return None
    latest = (
        select(Conversation, Place)
        .outerjoin(Place, Place.id == Conversation.place_id)
        .where(Conversation.id.in_(select(mine.subquery().c.conversation_id)))
        .order_by(Conversation.updated_at.desc(), Conversation.id.desc())
        .limit(LATEST)
    )
    erased = select(Erasure).where(Erasure.person_id == person_id).order_by(Erasure.id.desc()).limit(1)
    return PersonKept(
        row[0],
        row[1],
        kept,
        [(found[0], found[1]) for found in session.execute(latest)],
        session.scalars(erased).one_or_none() if scope.everywhere else None,
    )


def read_conversation(session: Session, scope: ReadScope, conversation_id: str) -> ConversationKept | None:
    """None: no such conversation, or none that may be read."""
    row = session.execute(
        select(Conversation, Workspace, Place, ConversationHold)
        .join(Workspace, Workspace.id == Conversation.workspace_id)
        .outerjoin(Place, Place.id == Conversation.place_id)
        .outerjoin(ConversationHold, ConversationHold.conversation_id == Conversation.id)
        .where(scope.allows(), Conversation.id == conversation_id)
    ).one_or_none()
    if row is None:
        return None
    mine = select(Turn.id, Turn.conversation_id).where(Turn.conversation_id == conversation_id)
    feedback = select(func.count()).select_from(Feedback).join(Turn, Turn.id == Feedback.turn_id)
    verdicts = session.scalar(feedback.where(Turn.conversation_id == conversation_id)) or 0
    return ConversationKept(row[0], row[1], row[2], _kept(session, mine, verdicts), row[3])


def list_held(session: Session, scope: ReadScope, limit: int) -> list[tuple[ConversationHold, Conversation]]:
    """Conversations that must be kept, those that were held last first."""
    statement = (
        select(ConversationHold, Conversation)
        .join(Conversation, Conversation.id == ConversationHold.conversation_id)
        .where(scope.allows())
        .order_by(ConversationHold.held_at.desc(), Conversation.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def _kept(session: Session, mine: Any, feedback: int) -> Kept:
    ids = select(mine.subquery().c.id)
    here = Turn.id.in_(ids)
    counted = session.execute(
        select(
            func.count(),
            func.count(Turn.conversation_id.distinct()),
            func.count(Turn.person_id.distinct()),
            func.min(Turn.created_at),
            func.max(Turn.created_at),
        ).where(here)
    ).one()
    pictures = session.execute(
        select(func.count(), func.coalesce(func.sum(Attachment.byte_size), 0)).where(
            Attachment.turn_id.in_(ids), Attachment.state == AttachmentState.STORED
        )
    ).one()
    count = select(func.count()).select_from(Turn).where(here)
    held = count.where(Turn.conversation_id.in_(select(ConversationHold.conversation_id)))
    return Kept(
        turns=counted[0],
        open=session.scalar(count.where(IS_OPEN)) or 0,
        conversations=counted[1],
        people=counted[2],
        pictures=pictures[0],
        byte_size=int(pictures[1]),
        feedback=feedback,
        held=session.scalar(held) or 0,
        first=counted[3],
        last=counted[4],
    )
