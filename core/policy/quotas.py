"""Quotas: what a person may ask and use, and a workspace in all.

Counted from the rows of turns and usage, so nothing is lost with a process. How exact: a question is counted when it is
committed, so on PostgreSQL those of one person that are committed at the same moment in several conversations may
pass together; tokens count once an answer has ended, so what is being answered comes on top; a workspace's tokens are
looked at once in two seconds. Days and months are those of UTC.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from core.errors import QuotaReached
from core.policy.effective import Quotas
from core.store.database import Repositories

BELIEVED_S = 2.0
_MINUTE = timedelta(minutes=1)
_WORKSPACES = 10_000


class _Known(NamedTuple):
    until: float
    day: datetime
    # Of the days of this month that are over, which changes no more.
    before_today: int | None
    today: int


class QuotaKeeper:
    """Refuses what is beyond a quota. `clock` gives seconds that only ever grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._workspaces: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def check(
        self,
        repositories: Repositories,
        quotas: Quotas,
        *,
        person_id: str,
        workspace_id: str,
        now: datetime,
        again: bool = False,
    ) -> None:
        """Before a question is written; `again`: it was asked before, and counts no more. No query without a quota.

        Raises:
            QuotaReached: it must not be taken now.
        """
        if not quotas.any:
            return
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        per_minute, per_day = (0, 0) if again else (quotas.questions_per_minute, quotas.questions_per_day)
        if person_id and (per_minute or per_day or quotas.tokens_per_day):
            used = repositories.quotas.of_person(
                person_id,
                per_minute=per_minute,
                minute=now - _MINUTE,
                day=day,
                asked=bool(per_day),
                tokens=bool(quotas.tokens_per_day),
            )
            frees = day + timedelta(days=1)
            when = _when(frees)
            if used.asked is not None and used.asked >= per_day:
                raise _reached(
                    frees,
                    now,
                    user_message=f"You have reached the limit for questions: {per_day} in a day. "
                    f"You can ask again from {when} UTC on.",
                )
            if used.tokens is not None and used.tokens >= (most := quotas.tokens_per_day):
                raise _reached(
                    frees,
                    now,
                    user_message=f"Your questions have used the {most:,} tokens that are allowed in a day. "
                    f"You can ask again from {when} UTC on.",
                )
            if used.nth_last is not None:
                frees = used.nth_last + _MINUTE
                seconds = _wait(frees, now)
                raise _reached(
                    frees,
                    now,
                    user_message=f"You have reached the limit for questions: {per_minute} in a minute. "
                    f"Ask again in {seconds} seconds.",
                )
        if quotas.workspace_tokens_per_day or quotas.workspace_tokens_per_month:
            self._check_workspace(repositories, quotas, workspace_id, day, now)

    def _check_workspace(
        self, repositories: Repositories, quotas: Quotas, workspace_id: str, day: datetime, now: datetime
    ) -> None:
        known = self._known(repositories, workspace_id, day, now, month=bool(quotas.workspace_tokens_per_month))
        if 0 < (most := quotas.workspace_tokens_per_month) <= known.today + (known.before_today or 0):
            frees = _next_month(day)
            when = _when(frees)
            raise _reached(
                frees,
                now,
                user_message=f"This workspace has used up its budget of {most:,} tokens for this month. "
                f"I answer again from {when} UTC on.",
            )
        if 0 < (most := quotas.workspace_tokens_per_day) <= known.today:
            frees = day + timedelta(days=1)
            when = _when(frees)
            raise _reached(
                frees,
                now,
                user_message=f"This workspace has used up its budget of {most:,} tokens for today. "
                f"I answer again from {when} UTC on.",
            )

    def _known(
        self, repositories: Repositories, workspace_id: str, day: datetime, now: datetime, *, month: bool
    ) -> _Known:
        with self._lock:
            known = self._workspaces.get(workspace_id)
        use, first = repositories.quotas.tokens_of_workspace, day.replace(day=1)
        before = None
        if known is not None and known.day == day:
            if self._clock() < known.until and not (month and known.before_today is None):
                return known
            before = known.before_today
        elif known is not None and known.before_today is not None and known.day >= first:
            # Only the days that have ended since.
            before = known.before_today + use(workspace_id, known.day, day)
        if month and before is None:
            before = use(workspace_id, first, day)
        today = use(workspace_id, day, now + timedelta(days=1))
        known = _Known(self._clock() + BELIEVED_S, day, before, today)
        with self._lock:
            if len(self._workspaces) >= _WORKSPACES:
                self._workspaces.clear()
            self._workspaces[workspace_id] = known
        return known


def _next_month(day: datetime) -> datetime:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _wait(at: datetime, now: datetime) -> int:
    """Whole seconds until then, at least one."""
    return max(1, -int((now - at).total_seconds() // 1))


def _reached(frees: datetime, now: datetime, *, user_message: str) -> QuotaReached:
    return QuotaReached(user_message=user_message, retry_after_s=_wait(frees, now))
