"""Whom a filter means by an id or a part of a name, and where they asked."""

from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from core.store.ids_sql import is_one_of
from core.store.models import NamePair, Person, Turn
from core.store.review.filters import Wanted
from core.store.turn_guards import HAS_ENDED, IS_OPEN

# More conversations are not compared: any source that has so many is as good as another.
MANY = 4000
# More people are not named one by one.
PEOPLE = 4000
# So many pairs of a part of a name are compared; the rarest one is looked up.
PAIRS = 8


class People:
    """Whom a filter means: `ids`, or None where there are too many of them."""

    def __init__(self, ids: list[str] | None) -> None:
        self.ids = ids

    @classmethod
    def meant(cls, session: Session, wanted: Wanted) -> "People":
        """Those whom `wanted` means."""
        if not wanted.person:
            return NOBODY
        some = select(Person.id).where(wanted.is_person()).limit(PEOPLE + 1)
        if (pair := _rarest_pair(session, wanted.person)) is None:
            found = set(session.scalars(some))
        else:
            found = set(session.scalars(some.where(Person.external_id == wanted.person)))
            named = some.join(NamePair, NamePair.person_id == Person.id).where(NamePair.pair == pair)
            found |= set(session.scalars(named))
        return cls(sorted(found) if len(found) <= PEOPLE else None)

    def asked(self, session: Session) -> ColumnElement[bool] | None:
        """That one of them asked the turn."""
        return None if self.ids is None else is_one_of(session, Turn.person_id, self.ids)

    def conversations(self, session: Session) -> list[str] | None:
        """Where they asked something; None: in too many."""
        found: set[str] = set()
        if (asked := self.asked(session)) is None:
            return None
        # Each half has an index of its own.
        for half in (HAS_ENDED, IS_OPEN):
            statement = select(Turn.conversation_id).where(asked, half).distinct().limit(MANY + 1)
            found |= set(session.scalars(statement))
        return sorted(found) if len(found) <= MANY else None


# Where no filter asks for people.
NOBODY = People(None)


def _rarest_pair(session: Session, part: str) -> str | None:
    """The pair of characters in it that the fewest names have; None: it has no pair.

    The database makes the letters small, as it did with the names: whoever has the part in his name has its pairs.
    """
    small: str = session.scalar(select(func.lower(part))) or ""
    pairs = list(dict.fromkeys(small[n : n + 2] for n in range(len(small) - 1)))[:PAIRS]
    if len(pairs) < 2:
        return pairs[0] if pairs else None
    one: ColumnElement[Any] = literal_column("1")
    some = [select(one).where(NamePair.pair == pair).limit(MANY).subquery() for pair in pairs]
    counts = session.execute(select(*(select(func.count()).select_from(each).scalar_subquery() for each in some))).one()
    return pairs[counts.index(min(counts))]
