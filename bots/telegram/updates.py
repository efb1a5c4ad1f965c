"""Updates, each to where it is understood. What must not be lost is in SQL when `take` returns: then the update may be
acknowledged, by the next `getUpdates` or by the answer to Telegram's post.

One update is one or two short transactions. So they are taken one after another in a chat, and side by side in
different ones, and stop, buttons and further pictures of an album need not overtake anything.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from telegram import Message, Update, User
from telegram.error import TelegramError

from bots.telegram.business import Business
from bots.telegram.chats import Chats
from bots.telegram.desk import Desk
from bots.telegram.inbox import Inbox
from bots.telegram.kept_presses import KeptPresses
from bots.telegram.presses import STOPPED, Presses
from core.errors import StoreError

log = structlog.get_logger(__name__)

ALLOWED_UPDATES = (
    "message",
    "edited_message",
    "callback_query",
    # Comes only where the bot is an administrator.
    "message_reaction",
    "my_chat_member",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    STOPPED,
)


class Updates:
    """Takes updates in, of one process. `presses` are what is dealt with behind the acknowledgement."""

    def __init__(self, desk: Desk, presses: Presses) -> None:
        self.presses = KeptPresses(desk, presses)
        self._inbox = Inbox(desk, presses)
        self._business = Business(desk)
        self._chats = Chats(desk)
        self._turns = _Turns()

    async def take(self, update: Update, me: User) -> None:
        """Everything that one update asks for.

        Raises:
            StoreError, TelegramError: it was not taken in, and must come again.
        """
        async with self._turns.of(line_of(update)):
            try:
                await self._take(update, me)
            except (StoreError, TelegramError):
                raise
            except Exception:
                # It would raise again and again, and hold up all others.
                log.exception("telegram_update_error", update=update.update_id)

    async def _take(self, update: Update, me: User) -> None:
        number = update.update_id
        if update.message is not None:
            if not await self._chats.migrated(update.message):
                await self._inbox.message(update.message, number, me)
        elif update.edited_message is not None:
            await self._inbox.edited(update.edited_message, number, me)
        elif update.business_message is not None:
            if owner := await self._answers_for(update.business_message):
                await self._inbox.message(update.business_message, number, me, owner_id=owner)
        elif update.edited_business_message is not None:
            if owner := await self._answers_for(update.edited_business_message):
                await self._inbox.edited(update.edited_business_message, number, me, owner_id=owner)
        elif update.deleted_business_messages is not None:
            deleted = update.deleted_business_messages
            if owner := await self._business.owner(deleted.business_connection_id):
                await self._inbox.deleted(deleted, owner)
        elif update.business_connection is not None:
            await self._business.changed(update.business_connection)
        elif update.my_chat_member is not None:
            await self._chats.membership(update.my_chat_member)
        else:
            await self.presses.take(update)

    async def _answers_for(self, message: Message) -> int | None:
        """Whose account a business chat is, where we may answer in it."""
        connection = message.business_connection_id
        return await self._business.owner_to_answer_for(connection) if connection else None


def line_of(update: Update) -> str:
    """Updates of one line are taken in their order: those of a chat, and, as what a connection allows may change
    between two messages, all of one business connection."""
    connection = update.business_connection
    if connection is not None:
        return connection.id
    message = update.business_message or update.edited_business_message or update.deleted_business_messages
    if message is not None and message.business_connection_id:
        return message.business_connection_id
    chat = update.effective_chat
    return str(chat.id) if chat is not None else ""


class _Turns:
    """Keeps what happens in one line in order."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, line: str) -> AsyncIterator[None]:
        """A turn in this line, behind everything that waits for one already."""
        lock, waiting = self._locks.get(line, (asyncio.Lock(), 0))
        self._locks[line] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks[line]
            if waiting > 1:
                self._locks[line] = lock, waiting - 1
            else:
                del self._locks[line]
