"""The outbox: what the platforms must still be told.

pending → sending (with a lease) → sent, back to pending after a failure, or failed for good; parked, where a human
answers and has not yet. Where answers are sent, intake writes the row together with the turn, so that whoever holds it
follows the answer while it is written; else it is written when the turn ends. Each message on the platform is a post: a
row before it is sent, its id as soon as the platform has told it. An adapter that dies while sending leaves an expired
lease behind; whoever claims the row then goes on with the posts that are known (docs/adr/0016).
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Update,
    and_,
    bindparam,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from core.store.delivery_reads import DeliveryReads
from core.store.models import Delivery, Post, table_of
from core.store.turn_rows import ANSWER
from core.store.turns import TurnRepository
from core.store.upsert import insert_all_if_new
from core.values import PULL_PLATFORMS, DeliveryState, Platform, new_id

_PENDING: ColumnElement[str] = literal_column("'pending'")
_SENDING: ColumnElement[str] = literal_column("'sending'")
_BEFORE = aliased(Delivery, name="before")
_OPEN = insert(table_of(Delivery))
# Statements of every answer; built once, because building one costs more than running it.
_IS_HELD = and_(
    Delivery.id == bindparam("delivery_id"), Delivery.state == _SENDING, Delivery.lease_owner == bindparam("owner")
)
_DELIVERIES, _POST_ROWS = table_of(Delivery), table_of(Post)
_HOLD = update(_DELIVERIES).where(_IS_HELD).values(lease_owner=bindparam("owner")).returning(_DELIVERIES.c.id)
_SENT = (
    update(_DELIVERIES)
    .where(_IS_HELD)
    .values(
        state=DeliveryState.SENT,
        external_id=bindparam("shown_as"),
        error_message="",
        sent_at=bindparam("now"),
        lease_owner="",
        lease_until=None,
    )
    .returning(_DELIVERIES.c.kind, _DELIVERIES.c.turn_id)
)
_NOTE_POST = (
    update(_POST_ROWS)
    .where(_POST_ROWS.c.delivery_id == bindparam("of"), _POST_ROWS.c.position == bindparam("at"))
    .values(external_id=bindparam("shown_as"), complete=bindparam("whole"))
)
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


class DeliveryRepository(DeliveryReads):
    """Every change is guarded by the state and, while sending, by the owner of the lease."""

    def open(
        self, turn_id: str, platform: Platform, target: Mapping[str, Any], now: datetime, *, parked: bool = False
    ) -> None:
        """An answer will have to be sent to `target`; with the turn's own transaction. `parked`: not before it is
        brought again (`deliver_again`), because a human answers there."""
        row = {"id": new_id(), "turn_id": turn_id, "platform": platform, "kind": ANSWER, "created_at": now}
        state = DeliveryState.PARKED if parked else DeliveryState.PENDING
        self._session.execute(_OPEN, row | {"target": dict(target), "state": state})

    def due(self, platform: Platform, now: datetime, limit: int) -> list[str]:
        """Ids of what may be claimed now, oldest first."""
        statement = (
            select(Delivery.id)
            .where(Delivery.platform == platform, _claimable(now))
            .order_by(Delivery.created_at, Delivery.id)
            .limit(limit)
        )
        return list(self._session.scalars(statement).all())

    def claim(self, delivery_ids: Collection[str], owner: str, now: datetime, lease_until: datetime) -> list[Delivery]:
        """Take these for sending, oldest first; without those that somebody else has, or that are done.

        Those that somebody else is changing at this very moment (on PostgreSQL) are left out as well.
        """
        if not delivery_ids:
            return []
        wanted = and_(Delivery.id.in_(delivery_ids), _claimable(now))
        # In one order, and without waiting: two processes that claim the same ones must not wait for each other.
        free = select(Delivery.id).where(wanted).order_by(Delivery.id).with_for_update(skip_locked=True)
        statement = (
            update(Delivery)
            .where(Delivery.id.in_(free), wanted)
            .values(
                state=DeliveryState.SENDING,
                attempts=Delivery.attempts + 1,
                lease_owner=owner,
                lease_until=lease_until,
            )
            .returning(Delivery)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return sorted(self._session.scalars(statement).all(), key=lambda d: (d.created_at, d.id))

    def sent(self, delivery_id: str, owner: str, external_id: str, now: datetime) -> bool:
        """The platform shows it as `external_id`; an answer's turn is delivered with it. False: lease lost."""
        told = {"delivery_id": delivery_id, "owner": owner, "shown_as": external_id, "now": now}
        sent = self._session.execute(_SENT, told).first()
        if sent is None:
            return False
        if sent.kind == ANSWER:
            TurnRepository(self._session).mark_delivered([sent.turn_id], now)
        return True

    def retry(self, delivery_id: str, owner: str, error: str, not_before: datetime) -> bool:
        """Sending failed; it may be claimed again from `not_before` on. False: lease lost."""
        return self._release(delivery_id, owner, state=DeliveryState.PENDING, error=error, not_before=not_before)

    def give_up(self, delivery_id: str, owner: str, error: str) -> bool:
        """Sending failed for good. False: lease lost."""
        return self._release(delivery_id, owner, state=DeliveryState.FAILED, error=error, not_before=None)

    def drop(self, turn_id: str) -> bool:
        """Nobody is to be told of this turn: its question was taken back. False: something stands there already, and
        has to be brought to its end, or it is done. Whoever holds the lease loses it."""
        shown = select(Post.id).where(Post.delivery_id == Delivery.id, Post.external_id != "").exists()
        statement = (
            update(Delivery)
            .where(
                Delivery.turn_id == turn_id, Delivery.kind == ANSWER, Delivery.state.in_([_PENDING, _SENDING]), ~shown
            )
            .values(state=DeliveryState.FAILED, error_message="taken back", lease_owner="", lease_until=None)
        )
        return self._changed(statement) is not None

    def release(self, delivery_id: str, owner: str) -> bool:
        """Give it back without blame, so that another process goes on at once. False: lease lost."""
        statement = (
            update(Delivery)
            .where(_held(delivery_id, owner))
            .values(
                state=DeliveryState.PENDING,
                attempts=Delivery.attempts - 1,
                not_before=None,
                lease_owner="",
                lease_until=None,
            )
        )
        return self._changed(statement) is not None

    def prolong(self, owner: str, delivery_ids: Collection[str], lease_until: datetime) -> set[str]:
        """Heartbeat; those of the deliveries that this owner still holds, by whichever of its claims (`owner:…`)."""
        if not delivery_ids:
            return set()
        held = or_(Delivery.lease_owner == owner, Delivery.lease_owner.startswith(f"{owner}:", autoescape=True))
        statement = (
            update(Delivery)
            .where(Delivery.id.in_(delivery_ids), Delivery.state == DeliveryState.SENDING, held)
            .values(lease_until=lease_until)
            .returning(Delivery.id)
            .execution_options(synchronize_session=False)
        )
        return set(self._session.scalars(statement).all())

    def begin_post(self, delivery_id: str, owner: str, position: int, now: datetime) -> bool:
        """The message at `position` (from 0) is about to be sent. False: lease lost; do not send."""
        if self._session.execute(_HOLD, {"delivery_id": delivery_id, "owner": owner}).first() is None:
            return False
        row = {"id": new_id(), "delivery_id": delivery_id, "position": position, "created_at": now}
        insert_all_if_new(self._session, Post, [row], ("delivery_id", "position"))
        return True

    def note_post(self, delivery_id: str, position: int, external_id: str, *, complete: bool) -> None:
        """The platform shows this message; `complete`: with all of its part.

        Noted whoever holds the lease by now: what is known to be on the platform is not sent again.
        """
        told = {"of": delivery_id, "at": position, "shown_as": external_id, "whole": complete}
        self._session.execute(_NOTE_POST, told)

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
        # What admins say in a chat keeps its order.
        or_(
            Delivery.after_id.is_(None),
            ~select(_BEFORE.id)
            .where(_BEFORE.id == Delivery.after_id, _BEFORE.state.in_([_PENDING, _SENDING]))
            .correlate(Delivery)
            .exists(),
        ),
    )


def _held(delivery_id: str, owner: str) -> ColumnElement[bool]:
    return and_(Delivery.id == delivery_id, Delivery.state == _SENDING, Delivery.lease_owner == owner)
