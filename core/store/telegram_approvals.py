"""Answers that the owner of a business account must approve before his customers get them.

proposed → approved (as it is, or in the owner's own words), discarded or expired: each once, by a guarded update. What
is approved is an answer to be brought, a second delivery of its turn beside the one that showed it to the owner.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.store.base import Base, Id
from core.store.models import Delivery, Turn
from core.store.upsert import insert_if_new
from core.values import FinishReason, Platform, TurnState, new_id, utc_now

# The kind of a delivery that brings what was approved.
APPROVED = "approved"


class ApprovalState(StrEnum):
    """What became of a proposal."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    DISCARDED = "discarded"
    EXPIRED = "expired"


class TelegramApproval(Base):
    """A proposal to an owner. `external_id` is the message of his chat that carries its buttons."""

    __tablename__ = "telegram_approvals"
    __table_args__ = (
        # What must still be shown to its owner as decided, or will expire.
        Index("ix_telegram_approvals_open", "shown", "expires_at"),
    )

    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), type_=Id, primary_key=True)
    owner_id: Mapped[int] = mapped_column(BigInteger)
    connection_id: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(16), default=ApprovalState.PROPOSED)
    external_id: Mapped[str] = mapped_column(String(255), default="")
    # The owner sees what became of it.
    shown: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]


class ApprovalRepository:
    """Ids are Telegram's, but for turns'."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, turn_id: str) -> TelegramApproval | None:
        """The proposal of a turn's answer, as it is now; None: it needs none, or was not shown yet."""
        return self._session.get(TelegramApproval, turn_id, populate_existing=True)

    def propose(self, turn_id: str, owner_id: int, connection_id: str, now: datetime, expires_at: datetime) -> None:
        """An answer is about to be shown to its owner; nothing where it was already."""
        row = {
            "turn_id": turn_id,
            "owner_id": owner_id,
            "connection_id": connection_id,
            "state": ApprovalState.PROPOSED,
            "external_id": "",
            "shown": False,
            "created_at": now,
            "expires_at": expires_at,
        }
        insert_if_new(self._session, TelegramApproval, row, ("turn_id",))

    def note_message(self, turn_id: str, external_id: str) -> None:
        """The message that carries the buttons is known."""
        self._session.execute(_of(turn_id).values(external_id=external_id))

    def approve(self, turn_id: str, target: Mapping[str, Any], now: datetime, own_words: str | None = None) -> bool:
        """The answer, or the owner's own words in its place, goes to `target`. False: it was decided before, or late.

        The turn's answer is what is sent: the conversation goes on from there.
        """
        if not self._decide(turn_id, ApprovalState.APPROVED, now):
            return False
        if own_words is not None:
            changed = {
                "state": TurnState.DELIVERED,
                "answer": own_words,
                "boxes": [],
                "finish_reason": FinishReason.STOP,
                "error_code": "",
                "error_message": "",
            }
            self._session.execute(
                update(Turn).where(Turn.id == turn_id).values(**changed).execution_options(synchronize_session=False)
            )
        delivery = {
            "id": new_id(),
            "turn_id": turn_id,
            "platform": Platform.TELEGRAM,
            "kind": APPROVED,
            "state": "pending",
            "attempts": 0,
            "target": dict(target),
            "created_at": now,
        }
        insert_if_new(self._session, Delivery, delivery, ("turn_id", "kind"))
        return True

    def discard(self, turn_id: str, now: datetime) -> bool:
        """Nothing is sent. False: it was decided before, or late."""
        return self._decide(turn_id, ApprovalState.DISCARDED, now)

    def late(self, now: datetime) -> bool:
        """Whether something expires now."""
        late = select(TelegramApproval.turn_id).where(
            TelegramApproval.shown.is_(False),
            TelegramApproval.state == ApprovalState.PROPOSED,
            TelegramApproval.expires_at <= now,
        )
        return self._session.scalar(late.limit(1)) is not None

    def expire(self, now: datetime) -> int:
        """Nobody decided in time; how many."""
        late = (
            update(TelegramApproval)
            .where(TelegramApproval.state == ApprovalState.PROPOSED, TelegramApproval.expires_at <= now)
            .values(state=ApprovalState.EXPIRED)
            .returning(TelegramApproval.turn_id)
        )
        return len(self._session.scalars(late, execution_options={"synchronize_session": False}).all())

    def to_show(self, limit: int) -> list[TelegramApproval]:
        """Decided, and the owner's message does not say so yet."""
        decided = (
            select(TelegramApproval)
            .where(
                TelegramApproval.shown.is_(False),
                TelegramApproval.state != ApprovalState.PROPOSED,
                TelegramApproval.external_id != "",
            )
            .limit(limit)
        )
        return list(self._session.scalars(decided).all())

    def delivery(self, turn_id: str) -> Delivery | None:
        """What brings the approved answer to the customer."""
        statement = select(Delivery).where(Delivery.turn_id == turn_id, Delivery.kind == APPROVED)
        return self._session.scalars(statement).one_or_none()

    def mark_shown(self, turn_id: str) -> None:
        """The owner's message says what became of it."""
        self._session.execute(_of(turn_id).values(shown=True))

    def _decide(self, turn_id: str, state: ApprovalState, now: datetime) -> bool:
        statement = (
            _of(turn_id)
            .where(TelegramApproval.state == ApprovalState.PROPOSED, TelegramApproval.expires_at > now)
            .values(state=state)
            .returning(TelegramApproval.turn_id)
        )
        return self._session.scalar(statement) is not None


def _of(turn_id: str) -> Any:
    return (
        update(TelegramApproval).where(TelegramApproval.turn_id == turn_id).execution_options(synchronize_session=False)
    )
