"""The outbox: what the platforms must still be told.

pending → sending (with a lease) → sent, back to pending after a failure, or failed for good. An adapter that dies
while sending leaves an expired lease behind; whoever claims the row then must look on the platform whether the
message got out (`external_id` and the platform's own idempotence), since no database can know that.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Update, and_, bindparam, literal_column, or_, select, update
from sqlalchemy.orm import Session

from core.store.models import Delivery
from core.store.turn_rows import ANSWER
from core.store.turns import TurnRepository
from core.values import DeliveryState, Platform

# Nobody is told here: the client comes and reads.
PULL_PLATFORMS = (Platform.WEB, Platform.API)
_PENDING: ColumnElement[str] = literal_column("'pending'")
_SENDING: ColumnElement[str] = literal_column("'sending'")
_MARK_READ = (
    update(Delivery)
    .where(
        Delivery.turn_id.in_(bindparam("turn_ids", expanding=True)),
        Delivery.kind == ANSWER,
        Delivery.state == _PENDING,
        Delivery.platform.in_(PULL_PLATFORMS),
    )
    .values(state=DeliveryState.SENT, sent_at=bindparam("now"))
    .returning(Delivery.turn_id)
    .execution_options(synchronize_session=False)
)


class DeliveryRepository:
    """Every change is guarded by the state and, while sending, by the owner of the lease."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def due(self, platform: Platform, now: datetime, limit: int) -> list[Delivery]:
        """What may be claimed now, oldest first."""
        statement = (
            select(Delivery)
            .where(Delivery.platform == platform, _claimable(now))
            .order_by(Delivery.created_at, Delivery.id)
            .limit(limit)
        )
        return list(self._session.scalars(statement).all())

    def claim(self, delivery_id: str, owner: str, now: datetime, lease_until: datetime) -> Delivery | None:
        """Take one for sending; None: somebody else has it, or it is done."""
        return self._changed(
            update(Delivery)
            .where(Delivery.id == delivery_id, _claimable(now))
            .values(
                state=DeliveryState.SENDING,
                attempts=Delivery.attempts + 1,
                lease_owner=owner,
                lease_until=lease_until,
            )
        )

    def sent(self, delivery_id: str, owner: str, external_id: str, now: datetime) -> bool:
        """The platform shows it as `external_id`; an answer's turn is delivered with it. False: lease lost."""
        delivery = self._changed(
            update(Delivery)
            .where(_held(delivery_id, owner))
            .values(
                state=DeliveryState.SENT,
                external_id=external_id,
                error_message="",
                sent_at=now,
                lease_owner="",
                lease_until=None,
            )
        )
        if delivery is None:
            return False
        if delivery.kind == ANSWER:
            TurnRepository(self._session).mark_delivered([delivery.turn_id], now)
        return True

    def retry(self, delivery_id: str, owner: str, error: str, not_before: datetime) -> bool:
        """Sending failed; it may be claimed again from `not_before` on. False: lease lost."""
        return self._release(delivery_id, owner, state=DeliveryState.PENDING, error=error, not_before=not_before)

    def give_up(self, delivery_id: str, owner: str, error: str) -> bool:
        """Sending failed for good. False: lease lost."""
        return self._release(delivery_id, owner, state=DeliveryState.FAILED, error=error, not_before=None)

    def mark_read(self, turn_ids: Collection[str], now: datetime) -> set[str]:
        """Clients of a pull channel have read the ends of these turns.

        Returns those for which that is news; the others had been read before, or have no end yet.
        """
        if not turn_ids:
            return set()
        news = set(self._session.scalars(_MARK_READ, {"turn_ids": list(turn_ids), "now": now}).all())
        TurnRepository(self._session).mark_delivered(news, now)
        return news

    def _release(
        self, delivery_id: str, owner: str, *, state: DeliveryState, error: str, not_before: datetime | None
    ) -> bool:
        return (
            self._changed(
                update(Delivery)
                .where(_held(delivery_id, owner))
                .values(state=state, error_message=error, not_before=not_before, lease_owner="", lease_until=None)
            )
            is not None
        )

    def _changed(self, statement: Update) -> Delivery | None:
        return self._session.scalars(
            statement.returning(Delivery),
            execution_options={"synchronize_session": False, "populate_existing": True},
        ).one_or_none()


def _claimable(now: datetime) -> ColumnElement[bool]:
    return and_(
        # Word for word the condition of the index over open deliveries.
        Delivery.state.in_([_PENDING, _SENDING]),
        or_(
            and_(Delivery.state == _PENDING, or_(Delivery.not_before.is_(None), Delivery.not_before <= now)),
            and_(Delivery.state == _SENDING, Delivery.lease_until < now),
        ),
    )


def _held(delivery_id: str, owner: str) -> ColumnElement[bool]:
    return and_(Delivery.id == delivery_id, Delivery.state == _SENDING, Delivery.lease_owner == owner)
