"""Finding turns by words of their question or answer, latest first (`core/store/words.py`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.store.ids_sql import is_one_of
from core.store.models import Conversation, Person, Place, Turn, Workspace
from core.store.review.filters import Wanted
from core.store.review.matches import LATEST, Matches, matches_of
from core.store.review.names import shown_name
from core.store.review.people import People
from core.store.review.scope import ReadScope
from core.store.review.sources import Cursor, Everything, Source, best_source
from core.store.words import Sought

# After so many turns that have the words and are not wanted, those that are wanted are looked through for the words.
PATIENCE = 1000
# So few conversations are looked through at once.
FEW = 200
# So many times as patient where hardly any turn has them, so that there are not many more.
SPARSE_PATIENCE = 5
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
    latest: int = LATEST,
) -> Hits:
    """Turns that have all the words, may be read and are wanted; nothing without words.

    `patience`: see `PATIENCE`. `latest`: see `core.store.review.matches.LATEST`.
    """
    search = _Search(session, scope, matches_of(session, sought, latest), wanted)
    if not sought or search.people.ids == []:
        return Hits([], None)
    found = list(islice(search.hits(before, limit + 1, patience), limit + 1))
    return Hits(found[:limit], found[limit - 1].turn.id if len(found) > limit else None)


class _Search:
    """Finds what has the words first and is wanted then, or the other way round."""

    def __init__(self, session: Session, scope: ReadScope, matches: Matches, wanted: Wanted) -> None:
        self._session = session
        self._scope = scope
        self._matches = matches
        self._wanted = wanted
        self.people = People.meant(session, wanted)
        self._by_person = self.people.asked(session)
        self._statement = (
            select(Turn, Conversation, Workspace, Place, Person)
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .join(Workspace, Workspace.id == Conversation.workspace_id)
            .join(Person, Person.id == Turn.person_id)
            .outerjoin(Place, Place.id == Conversation.place_id)
            .where(scope.allows(), wanted.turns(self._by_person))
        )

    def hits(self, before: str | None, few: int, patience: int) -> Iterator[Hit]:
        """Hit by hit, latest first, `few` of them by the least effort."""
        looked_at = shown = 0
        # Dates are those of turns here, which no source knows.
        source = best_source(self._session, self._scope, self._wanted, self.people, dated=False)
        if source.count() <= FEW:
            yield from self._through(source, before)
            return
        known = self._matches.read(before)
        while ids := list(islice(known, few)):
            for hit in self._met(ids):
                shown += 1
                yield hit
            looked_at, few = looked_at + len(ids), min(2 * few, MOST_AT_ONCE)
            misses, sparse = looked_at - shown, self._matches.sparse
            over = misses > patience * (SPARSE_PATIENCE if sparse else 1)
            over |= misses > 0 and not sparse and self._matches.looked_at > patience * SPARSE_PATIENCE
            if over and not isinstance(source, Everything):
                yield from self._through(source, ids[-1])
                return

    def _met(self, ids: Sequence[str]) -> Iterator[Hit]:
        mine = self._statement.where(is_one_of(self._session, Turn.id, ids))
        rows = {row[0].id: row for row in self._session.execute(mine)}
        for turn_id in ids:
            if turn_id in rows:
                turn, conversation, workspace, place, person = rows[turn_id]
                yield Hit(turn, conversation, workspace, place, shown_name(person))

    def _through(self, source: Source, before: str | None) -> Iterator[Hit]:
        """Behind a turn, conversation by conversation.

        No turn is later than the last change of its conversation, so what is later than the last change of the
        conversations that come next is complete.
        """
        conditions = list(self._wanted.of_turn(self._by_person))
        reached: Cursor | None = None
        few = FEW
        waiting: list[tuple[Any, Hit]] = []
        while next_ones := source.read(reached, few):
            reached, few = next_ones[-1], min(2 * few, MOST_AT_ONCE)
            found = self._matches.among([one for _, one in next_ones], before, *conditions)
            order = {turn_id: at for at, turn_id in found}
            for first in range(0, len(found), MOST_AT_ONCE):
                ids = [turn_id for _, turn_id in found[first : first + MOST_AT_ONCE]]
                waiting += [(order[hit.turn.id], hit) for hit in self._met(ids)]
            waiting.sort(key=lambda one: one[0], reverse=True)
            while waiting and waiting[0][1].turn.created_at > reached[0]:
                yield waiting.pop(0)[1]
        yield from (hit for _, hit in waiting)
