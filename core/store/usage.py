"""What the answers cost, in tokens and engine seconds."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from core.store.models import Attachment, Usage
from core.values import AttachmentState

_ADD = insert(Usage)


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """Sums over attempts. Tokens; `engine_s` in seconds."""

    attempts: int
    prompt_tokens: int
    picture_tokens: int
    cached_tokens: int
    completion_tokens: int
    engine_s: float


@dataclass(frozen=True, slots=True)
class PersonUsage:
    """Turns that were computed, the pictures that came with them, and tokens of all attempts."""

    turns: int
    pictures: int
    prompt_tokens: int
    completion_tokens: int


class UsageRepository:
    """Rows are only ever added."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        *,
        workspace_id: str,
        person_id: str,
        turn_id: str,
        attempt: int,
        model: str,
        prompt_tokens: int,
        picture_tokens: int,
        cached_tokens: int,
        completion_tokens: int,
        engine_s: float,
        now: datetime,
    ) -> None:
        """Note what one attempt cost."""
        self._session.execute(
            _ADD,
            {
                "workspace_id": workspace_id,
                "person_id": person_id,
                "turn_id": turn_id,
                "attempt": attempt,
                "model": model,
                "prompt_tokens": prompt_tokens,
                "picture_tokens": picture_tokens,
                "cached_tokens": cached_tokens,
                "completion_tokens": completion_tokens,
                "engine_s": engine_s,
                "created_at": now,
            },
        )

    def totals(self, workspace_id: str, since: datetime) -> UsageTotals:
        """The sums of one workspace from `since` on."""
        row = self._session.execute(
            select(
                func.count(),
                func.coalesce(func.sum(Usage.prompt_tokens), 0),
                func.coalesce(func.sum(Usage.picture_tokens), 0),
                func.coalesce(func.sum(Usage.cached_tokens), 0),
                func.coalesce(func.sum(Usage.completion_tokens), 0),
                func.coalesce(func.sum(Usage.engine_s), 0.0),
            ).where(Usage.workspace_id == workspace_id, Usage.created_at >= since)
        ).one()
        return UsageTotals(*row)

    def of_person(self, workspace_id: str, person_id: str, since: datetime) -> PersonUsage:
        """What one person was answered from `since` on."""
        mine = (Usage.workspace_id == workspace_id, Usage.created_at >= since, Usage.person_id == person_id)
        turns, prompt, completion = self._session.execute(
            select(
                func.count(Usage.turn_id.distinct()),
                func.coalesce(func.sum(Usage.prompt_tokens), 0),
                func.coalesce(func.sum(Usage.completion_tokens), 0),
            ).where(*mine)
        ).one()
        pictures = self._session.scalar(
            select(func.count())
            .select_from(Attachment)
            .where(
                Attachment.turn_id.in_(select(Usage.turn_id).where(*mine)), Attachment.state == AttachmentState.STORED
            )
        )
        return PersonUsage(turns, pictures or 0, prompt, completion)
