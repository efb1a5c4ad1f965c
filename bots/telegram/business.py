"""Business connections: whose account it is, and whether we may answer in its chats."""

import asyncio
from functools import partial

import structlog
from telegram import BusinessConnection
from telegram.error import BadRequest, Forbidden

from bots.telegram.desk import Desk
from core.store.telegram_tables import TelegramBusiness
from core.values import Platform, utc_now

log = structlog.get_logger(__name__)


class Business:
    """Keeps in SQL what Telegram tells of connections."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.services.store
        self._on = desk.services.settings.telegram_business != "off"

    async def changed(self, connection: BusinessConnection) -> None:
        """A connection was made, changed or ended. Where we may not answer any more, nobody waits for an answer.

        Raises:
            StoreError: nothing was written.
        """
        row = await self._desk.commit(partial(self._keep, connection))
        log.info("telegram_business", owner=row.owner_id, enabled=row.enabled, can_reply=row.can_reply)
        if row.enabled and row.can_reply:
            return
        for turn_id in await asyncio.to_thread(self._waiting, row.owner_id):
            await self._desk.services.cancel(turn_id)

    async def owner_to_answer_for(self, connection_id: str) -> int | None:
        """The owner of a connection through which we may answer; None: we may not, or business chats are off.

        Raises:
            StoreError: nobody knows.
            TelegramError: nobody knows; it was never heard of, and Telegram did not tell.
        """
        if not self._on:
            return None
        row = await self._desk.commit(partial(self._known, connection_id))
        if row is None:
            # It was made while nobody listened.
            try:
                connection = await self._desk.intake_bot.get_business_connection(connection_id)
            except (BadRequest, Forbidden):
                return None
            row = await self._desk.commit(partial(self._keep, connection))
        return row.owner_id if row.enabled and row.can_reply else None

    async def owner(self, connection_id: str) -> int | None:
        """The owner of a connection that was heard of, whether or not we may answer."""
        row = await self._desk.commit(partial(self._known, connection_id))
        return row.owner_id if row is not None else None

    def _known(self, connection_id: str) -> TelegramBusiness | None:
        with self._store.read() as repositories:
            return repositories.telegram.connection(connection_id)

    def _keep(self, connection: BusinessConnection) -> TelegramBusiness:
        with self._store.write(urgent=True) as repositories:
            return repositories.telegram.set_connection(
                connection.id,
                bot_id=self._desk.bot_id,
                owner_id=connection.user.id,
                owner_chat_id=connection.user_chat_id,
                owner_locale=connection.user.language_code or "",
                can_reply=bool(connection.rights is not None and connection.rights.can_reply),
                enabled=connection.is_enabled,
                now=utc_now(),
            )

    def _waiting(self, owner_id: int) -> list[str]:
        with self._store.read() as repositories:
            workspace = repositories.people.known_workspace(Platform.TELEGRAM, self._desk.bot_id)
            return repositories.turns.open_at(workspace.id, f"b{owner_id}") if workspace is not None else []
