"""Bringing the answer of a turn again: *try again*, a human's answer, a question that comes back to the model."""

from datetime import datetime

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from core.store.models import Delivery, Post
from core.store.turn_guards import NOW, TURN_ID, UNSYNCHRONIZED
from core.store.turn_rows import ANSWER
from core.values import DeliveryState

_ANSWER_OF = select(Delivery.id, Delivery.target).where(Delivery.turn_id == TURN_ID, Delivery.kind == ANSWER)
_UNDELIVER = delete(Delivery).where(Delivery.id == bindparam("again")).execution_options(**UNSYNCHRONIZED)
_FORGET_POSTS = delete(Post).where(Post.delivery_id == bindparam("again")).execution_options(**UNSYNCHRONIZED)
_DELIVER_AGAIN = (
    update(Delivery)
    .where(Delivery.id == bindparam("again"))
    .values(
        state=DeliveryState.PENDING,
        attempts=0,
        lease_owner="",
        lease_until=None,
        not_before=None,
        after_id=bindparam("behind"),
        external_id="",
        error_message="",
        created_at=NOW,
        sent_at=None,
    )
    .execution_options(**UNSYNCHRONIZED)
)


def deliver_again(session: Session, turn_id: str, now: datetime, after_id: str | None = None) -> None:
    """A new message will show the answer of this turn, behind the delivery `after_id`; what was shown stays as it is.

    Whoever holds the delivery loses it. Where answers are fetched, the row goes until there is one.
    """
    for delivery_id, target in session.execute(_ANSWER_OF, {"turn_id": turn_id}).all():
        # Where answers are sent, the row also says where to.
        for statement in (_FORGET_POSTS, _DELIVER_AGAIN) if target else (_UNDELIVER,):
            session.execute(statement, {"again": delivery_id, "behind": after_id, "now": now})
