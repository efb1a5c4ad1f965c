"""Conversations that a human answers, or is to answer, as the console shows them."""

from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from core.store.admin_tables import Admin
from core.store.models import Conversation, Person, Place, Turn, Workspace
from core.store.review.names import shown_name
from core.store.review.scope import ReadScope
from core.store.takeovers import IS_TAKEN
from core.store.turn_guards import in_state
from core.values import Platform, TurnState

# What is looked at for news: more is not said in a few seconds.
LATEST = 10
_LEFT_TO_HUMAN = in_state(TurnState.HANDED_OVER)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation that was handed over, with its last question. `is_taken`: by the admin who was asked about."""

    conversation: Conversation
    workspace: Workspace
    place: Place | None
    person: str
    question: str
    is_taken: bool


@dataclass(frozen=True, slots=True)
class Handover:
    """Who answers in a conversation. `holder` is the name of the admin who has taken over, empty: nobody has.

    `unanswered`: questions behind the last answer that were left to a human. `latest`: ids of the latest turns that a
    human has answered or is to answer, in order.
    """

    conversation: Conversation
    platform: Platform
    holder: str
    unanswered: int
    latest: list[str]


def list_waiting(session: Session, scope: ReadScope, admin_id: str, limit: int) -> list[Waiting]:
    """Conversations that wait for a human, longest first; then those that this admin has taken over and in which
    somebody waits for him."""
    statement = (
        select(Conversation, Workspace, Place, Person, Turn)
        .join(Workspace, Workspace.id == Conversation.workspace_id)
        .join(Person, Person.id == Conversation.person_id)
        .outerjoin(Place, Place.id == Conversation.place_id)
        .outerjoin(Turn, and_(Turn.conversation_id == Conversation.id, Turn.seq == Conversation.last_seq))
        .where(scope.allows(), Conversation.handed_over_at.is_not(None))
        .limit(limit)
    )
    nobody = statement.where(~IS_TAKEN).order_by(Conversation.handed_over_at, Conversation.id)
    mine = statement.where(IS_TAKEN, Conversation.taken_by == admin_id, _LEFT_TO_HUMAN).order_by(Turn.created_at)
    return [
        Waiting(
            conversation,
            workspace,
            place,
            shown_name(person),
            turn.question if turn is not None else "",
            conversation.taken_by == admin_id,
        )
        for found in (nobody, mine)
        for conversation, workspace, place, person, turn in session.execute(found)
    ]


def count_waiting(session: Session, scope: ReadScope) -> int:
    """How many conversations wait for a human whom nobody is yet."""
    waits = and_(scope.allows(), Conversation.handed_over_at.is_not(None), ~IS_TAKEN)
    return session.scalar(select(func.count()).select_from(Conversation).where(waits)) or 0


def read_handover(session: Session, scope: ReadScope, conversation_id: str) -> Handover | None:
    """Who answers there; None: no such conversation, or none that may be read."""
    row = session.execute(
        select(Conversation, Workspace.platform, Admin.name)
        .join(Workspace, Workspace.id == Conversation.workspace_id)
        .outerjoin(Admin, Admin.id == Conversation.taken_by)
        .where(scope.allows(), Conversation.id == conversation_id)
    ).one_or_none()
    if row is None:
        return None
    conversation, platform, holder = row
    here = Turn.conversation_id == conversation_id
    by_human = here & (_LEFT_TO_HUMAN | (Turn.answered_by != ""))
    latest = session.scalars(select(Turn.id).where(by_human).order_by(Turn.seq.desc()).limit(LATEST)).all()
    answered = select(func.coalesce(func.max(Turn.seq), 0)).where(here, Turn.state != TurnState.HANDED_OVER)
    left = here & _LEFT_TO_HUMAN & (Turn.seq > answered.scalar_subquery())
    unanswered = session.scalar(select(func.count()).select_from(Turn).where(left)) or 0
    name = holder or ("somebody who is no admin any more" if conversation.taken_by else "")
    return Handover(conversation, Platform(platform), name, unanswered, list(reversed(latest)))
