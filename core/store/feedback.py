"""Thumbs: one verdict of each person on each answer."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.store.models import Feedback
from core.store.upsert import insert_or_update
from core.values import new_id


class FeedbackRepository:
    """The latest verdict counts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def set(self, turn_id: str, person_id: str, rating: int, reason: str = "", *, now: datetime) -> None:
        """Replace this person's verdict: +1, -1, or 0 to take it back."""
        if rating not in (-1, 0, 1):
            raise ValueError(f"a rating is -1, 0 or 1, not {rating}")
        if rating == 0:
            self._session.execute(
                delete(Feedback)
                .where(Feedback.turn_id == turn_id, Feedback.person_id == person_id)
                .execution_options(synchronize_session=False)
            )
            return
        insert_or_update(
            self._session,
            Feedback,
            {
                "id": new_id(),
                "turn_id": turn_id,
                "person_id": person_id,
                "rating": rating,
                "reason": reason,
                "created_at": now,
            },
            ("turn_id", "person_id"),
            ("rating", "reason", "created_at"),
        )

    def of_turn(self, turn_id: str) -> list[Feedback]:
        """All verdicts on one answer, oldest first."""
        statement = select(Feedback).where(Feedback.turn_id == turn_id).order_by(Feedback.created_at, Feedback.id)
        return list(self._session.scalars(statement, execution_options={"populate_existing": True}).all())
