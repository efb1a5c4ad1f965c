"""What Telegram tells besides questions: business connections, presses, and groups that get another id."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.store.models import Conversation, Delivery, Turn
from core.store.places import PlaceRepository
from core.store.settings import SettingsRepository
from core.store.telegram_tables import TelegramBusiness, TelegramUpdate
from core.store.upsert import insert_if_new
from core.values import DeliveryState, utc_now


class TelegramRepository:
    """Ids are Telegram's."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def connection(self, connection_id: str) -> TelegramBusiness | None:
        """A business connection as it is now; None: never heard of."""
        return self._session.get(TelegramBusiness, connection_id, populate_existing=True)

    def set_connection(
        self,
        connection_id: str,
        *,
        bot_id: str,
        owner_id: int,
        owner_chat_id: int,
        owner_locale: str,
        can_reply: bool,
        enabled: bool,
        now: datetime,
    ) -> TelegramBusiness:
        """A business connection was made, changed or ended."""
        row = TelegramBusiness(
            id=connection_id,
            bot_id=bot_id,
            owner_id=owner_id,
            owner_chat_id=owner_chat_id,
            owner_locale=owner_locale[:16],
            can_reply=can_reply,
            enabled=enabled,
            changed_at=now,
        )
        merged = self._session.merge(row)
        self._session.flush()
        return merged

    def connections(self, bot_id: str) -> list[TelegramBusiness]:
        """All business connections of a bot."""
        return list(self._session.scalars(select(TelegramBusiness).where(TelegramBusiness.bot_id == bot_id)).all())

    def keep_update(self, bot_id: str, update_id: int, body: dict[str, Any], now: datetime) -> bool:
        """Keep an update until `drop_update`; False: it is kept already."""
        row = {"bot_id": bot_id, "update_id": update_id, "body": body, "taken_at": now}
        return insert_if_new(self._session, TelegramUpdate, row, ("bot_id", "update_id")) is not None

    def drop_update(self, bot_id: str, update_id: int) -> None:
        """Somebody has dealt with it."""
        self._session.execute(
            delete(TelegramUpdate)
            .where(TelegramUpdate.bot_id == bot_id, TelegramUpdate.update_id == update_id)
            .execution_options(synchronize_session=False)
        )

    def kept_updates(self, bot_id: str) -> list[TelegramUpdate]:
        """What is still to be dealt with, in its order."""
        query = select(TelegramUpdate).where(TelegramUpdate.bot_id == bot_id).order_by(TelegramUpdate.update_id)
        return list(self._session.scalars(query).all())

    def move_chat(self, workspace_id: str, old: str, new: str) -> int:
        """A group became a supergroup: its places, conversations and unsent answers have another id from now on.

        Returns how many conversations moved; what has moved already stays as it is.
        """
        places = PlaceRepository(self._session)
        moved = 0
        place = places.known(workspace_id, old)
        if place is not None:
            successor = places.known(workspace_id, new)
            if successor is None:
                place.external_id = new
                successor = place
            else:
                # Somebody wrote in the supergroup before we were told. Its own conversation begins behind the old ones.
                successor.persona = successor.persona or place.persona
                successor.epoch = max(successor.epoch, place.epoch)
            self._session.flush()
            SettingsRepository(self._session).move_place(place.id, successor.id, utc_now())
            moved = self._move_conversations(workspace_id, place.id, successor.id, old, new)
        self._move_answers(workspace_id, int(old), int(new))
        return moved

    def _move_conversations(self, workspace_id: str, place_id: str, successor_id: str, old: str, new: str) -> int:
        moved = 0
        for conversation in self._session.scalars(select(Conversation).where(Conversation.place_id == place_id)).all():
            conversation.place_id = successor_id
            name = conversation.external_id.replace(f"{old}#", f"{new}#", 1)
            taken = select(Conversation.id).where(
                Conversation.workspace_id == workspace_id, Conversation.external_id == name
            )
            if name != conversation.external_id and self._session.scalar(taken) is None:
                conversation.external_id = name
                moved += 1
            self._session.flush()
        return moved

    def _move_answers(self, workspace_id: str, old: int, new: int) -> None:
        unsent = (
            select(Delivery)
            .join(Turn, Turn.id == Delivery.turn_id)
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .where(
                Conversation.workspace_id == workspace_id,
                Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING]),
            )
        )
        for delivery in self._session.scalars(unsent).all():
            if delivery.target.get("chat_id") == old:
                # The question's message is not known by that id in the supergroup: nothing to reply to.
                target: dict[str, Any] = {**delivery.target, "chat_id": new, "message_id": 0}
                self._session.execute(
                    update(Delivery)
                    .where(Delivery.id == delivery.id)
                    .values(target=target)
                    .execution_options(synchronize_session=False)
                )
