"""The list of conversations, latest change first, and what the list shows of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Integer, Select, and_, case, cast, func, select
from sqlalchemy.orm import Session

from core.store.columns_sql import seconds_between
from core.store.ids_sql import is_one_of
from core.store.models import Attachment, Conversation, Feedback, Person, Place, Turn, Workspace
from core.store.review.facts import PICTURES, THUMBS
from core.store.review.filters import Wanted
from core.store.review.names import shown_name
from core.store.review.people import People
from core.store.review.scope import ReadScope
from core.store.review.sources import Cursor, best_source
from core.store.turn_guards import IS_OPEN, in_state
from core.values import AttachmentState, TurnState

# So many conversations are looked at by one query where few of them are wanted.
MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Listed:
    """One conversation in the list. Counts are of all its turns; `slowest_s` is from question to answer."""

    conversation: Conversation
    workspace: Workspace
    place: Place | None
    person: str
    question: str
    turns: int
    open: int
    failed: int
    pictures: int
    good: int
    bad: int
    slowest_s: float | None


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page of the list; `next` is where the following page begins, None at the end."""

    rows: list[Listed]
    next: Cursor | None


def list_inbox(session: Session, scope: ReadScope, wanted: Wanted, *, limit: int, before: Cursor | None) -> Inbox:
    """Conversations that may be read and are wanted."""
    found = list(islice(_wanted(session, scope, wanted, before, limit + 1), limit + 1))
    shown = found[:limit]
    last = shown[-1][0] if len(found) > limit else None
    counts = _Counts(session, [conversation for conversation, *_ in shown])
    rows = [counts.listed(conversation, workspace, place, person) for conversation, workspace, place, person in shown]
    return Inbox(rows, (last.updated_at, last.id) if last is not None else None)


def _wanted(
    session: Session, scope: ReadScope, wanted: Wanted, before: Cursor | None, few: int
) -> Iterator[tuple[Conversation, Workspace, Place | None, Person]]:
    """Row by row in the order of the list, `few` of them by the least effort."""
    people = People.meant(session, wanted)
    if people.ids == []:
        return
    source = best_source(session, scope, wanted, people)
    statement = (
        select(Conversation, Workspace, Place, Person)
        .join(Workspace, Workspace.id == Conversation.workspace_id)
        .join(Person, Person.id == Conversation.person_id)
        .outerjoin(Place, Place.id == Conversation.place_id)
        .where(scope.allows(), wanted.conversations(people.asked(session)))
    )
    while known := source.read(before, few):
        ids = [conversation_id for _, conversation_id in known]
        met = {row[0].id: row for row in session.execute(statement.where(is_one_of(session, Conversation.id, ids)))}
        for conversation_id in ids:
            if conversation_id in met:
                yield met[conversation_id]
        if len(known) < few:
            return
        before, few = known[-1], min(2 * few, MOST_AT_ONCE)


class _Counts:
    """Numbers of the conversations of one page, each kind by one query."""

    def __init__(self, session: Session, shown: Sequence[Conversation]) -> None:
        here = Turn.conversation_id.in_([conversation.id for conversation in shown])
        turns = (
            select(
                Turn.conversation_id,
                func.count(),
                func.sum(_one_if(IS_OPEN)),
                func.sum(_one_if(in_state(TurnState.FAILED))),
                func.max(seconds_between(Turn.created_at, Turn.finished_at)),
            )
            .where(here)
            .group_by(Turn.conversation_id)
        )
        self._turns: dict[str, Any] = {row[0]: row[1:] for row in session.execute(turns)}
        # Looked up for each turn: joined, they would be read from one end to the other once there are many.
        thumbs = select(func.count()).where(Feedback.turn_id == Turn.id).correlate(Turn)
        stored = select(func.count()).where(Attachment.turn_id == Turn.id, Attachment.state == AttachmentState.STORED)
        good, bad = thumbs.where(Feedback.rating > 0), thumbs.where(Feedback.rating < 0)
        self._pictures = _sums(session, shown, PICTURES, stored.correlate(Turn))
        self._thumbs = _sums(session, shown, THUMBS["good"], good), _sums(session, shown, THUMBS["bad"], bad)
        last = (
            select(Turn.conversation_id, Turn.question)
            .join(Conversation, and_(Conversation.id == Turn.conversation_id, Conversation.last_seq == Turn.seq))
            .where(here)
        )
        self._last = {row[0]: row[1] for row in session.execute(last)}

    def listed(self, conversation: Conversation, workspace: Workspace, place: Place | None, person: Person) -> Listed:
        turns, opened, failed, slowest = self._turns.get(conversation.id, (0, 0, 0, None))
        good, bad = self._thumbs
        return Listed(
            conversation=conversation,
            workspace=workspace,
            place=place,
            person=shown_name(person),
            question=self._last.get(conversation.id, ""),
            turns=turns,
            open=int(opened),
            failed=int(failed),
            pictures=self._pictures.get(conversation.id, 0),
            good=good.get(conversation.id, 0),
            bad=bad.get(conversation.id, 0),
            slowest_s=None if slowest is None else float(slowest),
        )


def _sums(session: Session, shown: Sequence[Conversation], fact: int, each: Select[int]) -> dict[str, int]:
    """The sum over the turns of each conversation that says it has any."""
    some = [conversation.id for conversation in shown if conversation.facts & fact]
    mine = select(Turn.conversation_id, func.sum(each.scalar_subquery())).where(Turn.conversation_id.in_(some))
    return {one: int(count) for one, count in session.execute(mine.group_by(Turn.conversation_id))} if some else {}


def _one_if(condition: object) -> object:
    return cast(case((condition, 1), else_=0), Integer)  # type: ignore[arg-type]
