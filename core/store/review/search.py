"""Finding turns by words of their question or answer, latest first (`core/store/words.py`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.store.ids_sql import is_one_of
from core.store.models import Conversation, Person, Place, Turn, Workspace
from core.store.review.filters import Wanted
from core.store.review.matches import Matches, matches_of
from core.store.review.names import shown_name
from core.store.review.scope import ReadScope
from core.store.review.sources import People, best_source
from core.store.words import Sought

# After so many turns that have the words and are not wanted, the filters are asked whether they name few conversations.
PATIENCE = 1000
# So many conversations are few: their turns are looked through for the words.
FEW = 1000
MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn that was found, and where it stands."""

    turn: Turn
    conversation: Conversation
    workspace: Workspace
    place: Place | None
    person: str


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of what was found; `next` is the turn behind which the following page begins, None at the end."""

    rows: list[Hit]
    next: str | None


def search_turns(
    session: Session,
    scope: ReadScope,
    sought: Sequence[Sought],
    wanted: Wanted,
    *,
    limit: int,
    before: str | None,
    patience: int = PATIENCE,
) -> Hits:
    """Turns that have all the words, may be read and are wanted; nothing without words.

    `patience`: see `PATIENCE`.
    """
    people = People(session, wanted)
    if not sought or people.ids == []:
        return Hits([], None)
    found: list[Hit] = []
    for hit in _wanted(session, scope, matches_of(session, sought), wanted, people, before, limit + 1, patience):
        found.append(hit)
        if len(found) > limit:
            break
    return Hits(found[:limit], found[limit - 1].turn.id if len(found) > limit else None)


def _wanted(
    session: Session,
    scope: ReadScope,
    matches: Matches,
    wanted: Wanted,
    people: People,
    before: str | None,
    few: int,
    patience: int,
) -> Iterator[Hit]:
    """Hit by hit, latest first, `few` of them by the least effort."""
    statement = (
        select(Turn, Conversation, Workspace, Place, Person)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .join(Workspace, Workspace.id == Conversation.workspace_id)
        .join(Person, Person.id == Turn.person_id)
        .outerjoin(Place, Place.id == Conversation.place_id)
        .where(scope.allows(), wanted.turns(people.asked(session)))
    )

    def met(ids: Sequence[str]) -> Iterator[Hit]:
        rows = {row[0].id: row for row in session.execute(statement.where(is_one_of(session, Turn.id, ids)))}
        for turn_id in ids:
            if turn_id in rows:
                turn, conversation, workspace, place, person = rows[turn_id]
                yield Hit(turn, conversation, workspace, place, shown_name(person))

    looked_at = shown = 0
    asked_filters = False
    matches.begin(before)
    while ids := matches.read(few):
        for hit in met(ids):
            shown += 1
            yield hit
        before, looked_at, few = ids[-1], looked_at + len(ids), min(2 * few, MOST_AT_ONCE)
        if looked_at - shown > patience and not asked_filters:
            asked_filters = True
            if (conversations := _few_conversations(session, scope, wanted, people)) is not None:
                turns = matches.among(conversations, before)
                for first in range(0, len(turns), MOST_AT_ONCE):
                    yield from met(turns[first : first + MOST_AT_ONCE])
                return


def _few_conversations(session: Session, scope: ReadScope, wanted: Wanted, people: People) -> list[str] | None:
    """Those in which all that is wanted must be; None: they are many, or nobody knows."""
    source = best_source(session, scope, wanted, people, dated=False)
    if source.count() > FEW:
        return None
    return [conversation_id for _, conversation_id in source.read(None, FEW + 1)]
