"""Who asked: how many people, and who asked most."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.store.models import Person, Workspace
from core.store.numbers.counting import OF_PERSON, Counted
from core.store.numbers.wanted import WantedNumbers
from core.store.numbers_tables import NumbersPerson
from core.store.review.names import shown_name
from core.store.review.scope import ReadScope


@dataclass(frozen=True, slots=True)
class PersonNumbers:
    """What one person asked. `id` is the platform's, as the inbox's filter takes it."""

    id: str
    name: str
    workspace: Workspace
    questions: int
    answered: int
    failed: int
    prompt_tokens: int
    completion_tokens: int


def distinct_people(
    session: Session, scope: ReadScope, wanted: WantedNumbers, live: dict[date, Counted]
) -> tuple[dict[date, int], int]:
    """How many people asked on each day, and in all."""
    mine = wanted.of_people(scope)
    # In the order of the primary key, so that nothing has to be sorted.
    key = (NumbersPerson.day, NumbersPerson.workspace_id, NumbersPerson.person_id)
    each = select(*key).where(mine).distinct().subquery()
    by_day = select(each.c.day, func.count()).group_by(each.c.day)
    days = {row[0]: row[1] for row in session.execute(by_day)}
    today: set[str] = set()
    for day, counted in live.items():
        people = {key.person_id for key in counted}
        days[day] = len(people)
        today |= people
    if not today:
        return days, session.scalar(select(func.count(NumbersPerson.person_id.distinct())).where(mine)) or 0
    return days, len(today | set(session.scalars(select(NumbersPerson.person_id).where(mine).distinct())))


def top_people(
    session: Session, scope: ReadScope, wanted: WantedNumbers, live: dict[date, Counted], limit: int
) -> list[PersonNumbers]:
    """Those who asked most, with everything that they asked."""
    mine = wanted.of_people(scope)
    sums = [func.sum(getattr(NumbersPerson, name)) for name in OF_PERSON]
    by_person = select(NumbersPerson.person_id, *sums).where(mine).group_by(NumbersPerson.person_id)
    now: dict[str, list[int]] = defaultdict(lambda: [0] * len(OF_PERSON))
    for counted in live.values():
        for key, numbers in counted.items():
            mine_now = now[key.person_id]
            for at, name in enumerate(OF_PERSON):
                mine_now[at] += getattr(numbers, name)
    most = by_person.order_by(func.sum(NumbersPerson.questions).desc(), NumbersPerson.person_id).limit(limit)
    found = {row[0]: [int(value) for value in row[1:]] for row in session.execute(most)}
    others = sorted(now.keys() - found.keys())
    for start in range(0, len(others), 5000):
        here = by_person.where(NumbersPerson.person_id.in_(others[start : start + 5000]))
        found |= {row[0]: [int(value) for value in row[1:]] for row in session.execute(here)}
    for person_id, values in now.items():
        before = found.get(person_id, [0] * len(OF_PERSON))
        found[person_id] = [sum(pair) for pair in zip(before, values, strict=True)]
    top = sorted(found, key=lambda person_id: (-found[person_id][0], person_id))[:limit]
    rows = session.execute(
        select(Person, Workspace).join(Workspace, Workspace.id == Person.workspace_id).where(Person.id.in_(top))
    )
    known = {person.id: (person, workspace) for person, workspace in rows}
    return [
        PersonNumbers(person.external_id, shown_name(person), workspace, *found[person.id])
        for person, workspace in (known[person_id] for person_id in top if person_id in known)
    ]
