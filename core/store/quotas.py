"""What people have asked and used within a time, as quotas count it. Everything goes through an index."""

from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal_column, not_, null, select
from sqlalchemy.orm import Session

from core.store.columns import UtcDateTime
from core.store.models import ASKED_TURN, Turn, Usage
from core.values import TurnState

_MINUTE = bindparam("minute", type_=UtcDateTime())
_DAY = bindparam("day", type_=UtcDateTime())
_TOKENS = func.coalesce(func.sum(Usage.prompt_tokens + Usage.completion_tokens), 0)
_OF_WORKSPACE = select(_TOKENS).where(
    Usage.workspace_id == bindparam("workspace_id"),
    Usage.created_at >= bindparam("since", type_=UtcDateTime()),
    Usage.created_at < bindparam("until", type_=UtcDateTime()),
)


class PersonUse(NamedTuple):
    """`nth_last`: when the person asked the question that fills the limit of a minute; None: it is not full. `asked`
    questions and used tokens of the day. What was not asked about is None."""

    nth_last: datetime | None
    asked: int | None
    tokens: int | None


class QuotaRepository:
    """Reads only. A human's answers cost nothing, so what was handed over is not counted."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_person(
        self, person_id: str, *, per_minute: int, minute: datetime, day: datetime, asked: bool, tokens: bool
    ) -> PersonUse:
        """In one query: since `minute`, where `per_minute` is not 0, and since `day`."""
        parameters: dict[str, object] = {"person_id": person_id, "day": day}
        if per_minute:
            parameters |= {"minute": minute, "before": per_minute - 1}
        row = self._session.execute(_of_person(bool(per_minute), asked, tokens), parameters).one()
        return PersonUse(*row)

    def tokens_of_workspace(self, workspace_id: str, since: datetime, until: datetime) -> int:
        """Tokens that were read and written for all its people from `since` to before `until`."""
        parameters = {"workspace_id": workspace_id, "since": since, "until": until}
        return int(self._session.scalar(_OF_WORKSPACE, parameters) or 0)


@cache
def _of_person(minute: bool, asked: bool, tokens: bool) -> Select[datetime | None, int | None, int | None]:
    mine = Turn.person_id == bindparam("person_id")
    latest = (
        select(Turn.created_at)
        .where(mine, Turn.created_at > _MINUTE, *_counts())
        .order_by(Turn.created_at.desc())
        .offset(bindparam("before"))
        .limit(1)
    )
    today = select(func.count()).select_from(Turn).where(mine, Turn.created_at >= _DAY, *_counts())
    used = select(_TOKENS).where(Usage.person_id == bindparam("person_id"), Usage.created_at >= _DAY)
    return select(
        latest.scalar_subquery() if minute else null(),
        today.scalar_subquery() if asked else null(),
        used.scalar_subquery() if tokens else null(),
    )


def _counts() -> tuple[ColumnElement[bool], ...]:
    # The first is the condition of the index. What a program brings along as history was asked elsewhere.
    brought = and_(Turn.state == TurnState.DELIVERED.value, Turn.attempt == 0)
    return literal_column(ASKED_TURN), not_(brought), Turn.state != TurnState.HANDED_OVER.value
