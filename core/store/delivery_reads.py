"""What there is to know of deliveries: to whom, where, which messages show them, which turn a message belongs to."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from core.store.models import Conversation, Delivery, Person, Post, Turn, Workspace
from core.store.turn_rows import ANSWER
from core.values import Platform

_OF_TURN = (
    select(Delivery)
    .where(Delivery.turn_id == bindparam("turn_id"), Delivery.kind == ANSWER)
    .execution_options(populate_existing=True)
)
_IDS: BindParameter[list[str]] = bindparam("delivery_ids", expanding=True)
_RECIPIENTS = (
    select(Delivery.id, Person, Workspace, Turn.answered_by)
    .join(Turn, Turn.id == Delivery.turn_id)
    .join(Person, Person.id == Turn.person_id)
    .join(Workspace, Workspace.id == Person.workspace_id)
    .where(Delivery.id.in_(_IDS))
)
_POSTS = (
    select(Post)
    .where(Post.delivery_id.in_(_IDS))
    .order_by(Post.delivery_id, Post.position)
    .execution_options(populate_existing=True)
)
_SHOWN_BY = (
    select(Turn)
    .join(Delivery, Delivery.turn_id == Turn.id)
    .join(Post, Post.delivery_id == Delivery.id)
    .join(Conversation, Conversation.id == Turn.conversation_id)
    .where(
        Post.external_id == bindparam("external_id"),
        Delivery.platform == bindparam("platform"),
        Conversation.workspace_id == bindparam("workspace_id"),
    )
    .limit(1)
)


class Recipient(NamedTuple):
    """Who asked, and where; `answered_by` is the admin whose words the answer is, empty where it is the model's."""

    person: Person
    workspace: Workspace
    answered_by: str


class DeliveryReads:
    """Reads only."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_turn(self, turn_id: str) -> Delivery | None:
        """The delivery of a turn's answer, as it is now."""
        return self._session.scalars(_OF_TURN, {"turn_id": turn_id}).one_or_none()

    def get(self, delivery_id: str) -> Delivery | None:
        """The delivery as it is now."""
        return self._session.get(Delivery, delivery_id, populate_existing=True)

    def ids_of(self, turn_ids: Collection[str]) -> set[str]:
        """The deliveries of these turns' answers."""
        statement = select(Delivery.id).where(Delivery.turn_id.in_(turn_ids), Delivery.kind == ANSWER)
        return set(self._session.scalars(statement).all()) if turn_ids else set()

    def recipients(self, delivery_ids: Collection[str]) -> dict[str, Recipient]:
        """For whom they are, by delivery."""
        rows = self._session.execute(_RECIPIENTS, {"delivery_ids": list(delivery_ids)}).all()
        return {row[0]: Recipient(*row[1:]) for row in rows}

    def posts(self, delivery_ids: Collection[str]) -> dict[str, list[Post]]:
        """The messages that show each of them, in order; without `external_id` where nobody knows if one got out."""
        posts: dict[str, list[Post]] = {delivery_id: [] for delivery_id in delivery_ids}
        for post in self._session.scalars(_POSTS, {"delivery_ids": list(delivery_ids)}):
            posts[post.delivery_id].append(post)
        return posts

    def turn_shown_by(self, platform: Platform, workspace_id: str, external_id: str) -> Turn | None:
        """The turn whose answer a message on the platform shows. Attachments are not loaded."""
        known = {"platform": platform, "workspace_id": workspace_id, "external_id": external_id}
        return self._session.scalars(_SHOWN_BY, known).one_or_none()
