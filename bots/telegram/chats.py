"""What happens to chats: we are blocked or removed, or a group becomes a supergroup."""

from functools import partial

import structlog
from telegram import ChatMemberUpdated, Message
from telegram.constants import ChatMemberStatus

from bots.telegram.desk import Desk
from bots.telegram.target import place_name
from core.values import Platform

log = structlog.get_logger(__name__)

_GONE = (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)


class Chats:
    """Keeps SQL in step with them. All raise StoreError where nothing was written."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.services.store

    async def membership(self, changed: ChatMemberUpdated) -> None:
        """Our own membership changed: where we are no more, nobody waits for an answer."""
        status = changed.new_chat_member.status
        log.info("telegram_membership", chat=changed.chat.id, kind=changed.chat.type, status=status)
        if status not in _GONE:
            return
        for turn_id in await self._desk.commit(partial(self._waiting, changed.chat.id)):
            await self._desk.services.cancel(turn_id)

    async def migrated(self, message: Message) -> bool:
        """A group became a supergroup, if the message says so: what belonged to it is kept. Both chats are told."""
        old, new = message.chat.id, message.migrate_to_chat_id
        if message.migrate_from_chat_id is not None:
            old, new = message.migrate_from_chat_id, message.chat.id
        if new is None:
            return False
        moved = await self._desk.commit(partial(self._move, old, new))
        log.info("telegram_group_migrated", old=old, new=new, conversations=moved)
        return True

    def _move(self, old: int, new: int) -> int:
        with self._store.write(urgent=True) as repositories:
            workspace = repositories.people.workspace(Platform.TELEGRAM, self._desk.bot_id)
            return repositories.telegram.move_chat(workspace.id, place_name(old), place_name(new))

    def _waiting(self, chat_id: int) -> list[str]:
        with self._store.read() as repositories:
            workspace = repositories.people.known_workspace(Platform.TELEGRAM, self._desk.bot_id)
            return repositories.turns.open_at(workspace.id, place_name(chat_id)) if workspace is not None else []
