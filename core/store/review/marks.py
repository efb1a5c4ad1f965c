"""What the list of conversations shows of their review, and what its filters offer."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.store.admin_tables import Admin
from core.store.models import Conversation, Turn
from core.store.review.queues import still_to_judge
from core.store.review.scope import ReadScope
from core.store.review_tables import Correction, Label, TurnFlag, TurnLabel

# So many names of who has conversations are offered; one can be written into the URL anyway.
MOST_NAMES = 200


@dataclass(slots=True)
class Marks:
    """Of one conversation."""

    flags: int = 0
    labels: list[str] = field(default_factory=list)
    corrected: int = 0
    assigned_to: str = ""


@dataclass(frozen=True, slots=True)
class ReviewChoices:
    """Labels by name, and the id and name of everybody who has a conversation that may be read."""

    labels: list[Label]
    assigned: list[tuple[str, str]]


def read_marks(
    session: Session, scope: ReadScope, conversation_ids: Sequence[str], admin_id: str = ""
) -> dict[str, Marks]:
    """Those of a page of the list; conversations that may not be read are left out.

    Without what others said about turns that the admin is still to judge by himself; with no admin, all of it.
    """
    here = (Conversation.id.in_(conversation_ids), scope.allows())
    names = select(Conversation.id, Admin.name).outerjoin(Admin, Admin.id == Conversation.assigned_to).where(*here)
    marks = {conversation_id: Marks(assigned_to=name or "") for conversation_id, name in session.execute(names)}
    # Looked up for each turn: joined, PostgreSQL may walk through all turns there are.
    flagged, labelled, corrected = (
        select(table.id).where(table.turn_id == Turn.id).correlate(Turn).exists()
        for table in (TurnFlag, TurnLabel, Correction)
    )
    mine = select(Turn.id, Turn.conversation_id, flagged, corrected)
    mine = mine.where(Turn.conversation_id.in_(list(marks)), or_(flagged, labelled, corrected))
    remarked = session.execute(mine).all()
    turn_ids = [row[0] for row in remarked]
    hidden = set(session.scalars(still_to_judge(turn_ids, admin_id))) if admin_id else set()
    of_turn = {}
    for turn_id, conversation_id, is_flagged, is_corrected in remarked:
        of_turn[turn_id] = marks[conversation_id]
        marks[conversation_id].flags += bool(is_flagged)
        marks[conversation_id].corrected += bool(is_corrected) and turn_id not in hidden
    names_put = select(TurnLabel.turn_id, TurnLabel.admin_id, Label.name).join(Label, Label.id == TurnLabel.label_id)
    names_put = names_put.where(TurnLabel.turn_id.in_(turn_ids)).order_by(Label.name)
    for turn_id, put_by, name in session.execute(names_put):
        if turn_id in hidden and put_by != admin_id:
            continue
        if name not in of_turn[turn_id].labels:
            of_turn[turn_id].labels.append(name)
    return marks


def read_review_choices(session: Session, scope: ReadScope) -> ReviewChoices:
    """What there is to choose from."""
    labels = session.scalars(select(Label).order_by(Label.folded))
    # The second condition is the index's own.
    taken = select(Conversation.assigned_to).where(scope.allows(), Conversation.assigned_to.is_not(None))
    names = select(Admin.id, Admin.name).where(Admin.id.in_(taken)).order_by(Admin.name).limit(MOST_NAMES)
    return ReviewChoices(list(labels), [(admin_id, name) for admin_id, name in session.execute(names)])
