"""Whose questions and tokens they were goes with age, by the rule of usage; what they came to on each day stays."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.days import day_of
from core.store.numbers.keep import zone_kept
from core.store.numbers_tables import NumbersPerson
from core.store.retention.rules import Rules, What


def is_whose_kept(rules: Rules, workspace_id: str, day: date, zone: ZoneInfo, now: datetime) -> bool:
    """Whether it may be put down who asked on that day."""
    age = rules.age(What.USAGE, workspace_id)
    return age is None or day >= day_of(now - age, zone)


def forget_whose(session: Session, rules: Rules, now: datetime) -> int:
    """Remove who asked on the oldest day that is too old; how many rows. 0: there is no such day any more."""
    zone = ZoneInfo(zone_kept(session))
    mine: Any = rules.is_before(
        What.USAGE, NumbersPerson.workspace_id, NumbersPerson.day, lambda age: day_of(now - age, zone)
    )
    oldest = session.scalar(select(func.min(NumbersPerson.day)).where(mine))
    if oldest is None:
        return 0
    gone = delete(NumbersPerson).where(NumbersPerson.day == oldest, mine).returning(NumbersPerson.person_id)
    return len(session.scalars(gone, execution_options={"synchronize_session": False}).all())
