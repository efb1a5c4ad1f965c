"""Presses and reactions: kept in SQL from the acknowledgement until somebody has dealt with them.

What they change needs answers from Telegram, which an acknowledgement cannot wait for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from telegram import Update

from bots.telegram.desk import Desk
from bots.telegram.presses import STOPPED, Presses
from core.errors import StoreError
from core.values import utc_now

log = structlog.get_logger(__name__)

# Whoever pressed has forgotten it, and Telegram takes no answer to it any more.
FORGET_AFTER = timedelta(minutes=15)
_PAUSE_S = 2.0


class KeptPresses:
    """Deals with each of them once, or again where a process died over it; what they do may be done twice."""

    def __init__(self, desk: Desk, presses: Presses) -> None:
        self._desk = desk
        self._presses = presses
        self._store = desk.services.store

    async def take(self, update: Update) -> None:
        """Keep it, and deal with it behind the acknowledgement.

        Raises:
            StoreError: it is not kept.
        """
        if self._deed(update) is not None and await self._desk.commit(lambda: self._keep(update)):
            self._desk.background.start(self._deal(update))

    async def resume(self) -> None:
        """Deal with what the process before us left."""
        while True:
            try:
                bodies = await asyncio.to_thread(self._left)
                break
            except StoreError:
                await asyncio.sleep(_PAUSE_S)
        for body in bodies:
            self._desk.background.start(self._deal(Update.de_json(body, self._desk.bot)))

    def _deed(self, update: Update) -> Callable[[Update], Awaitable[None]] | None:
        if update.callback_query is not None:
            return self._presses.callback
        if update.message_reaction is not None:
            return self._presses.reaction
        return self._presses.stopped if STOPPED in update.api_kwargs else None

    async def _deal(self, update: Update) -> None:
        deed = self._deed(update)
        while deed is not None:
            try:
                await deed(update)
                break
            except StoreError as error:
                log.warning("telegram_press_waits", error=error.code)
                await asyncio.sleep(_PAUSE_S)
            except Exception:
                # It would raise again.
                log.exception("telegram_press_error", update=update.update_id)
                break
        await asyncio.to_thread(self._drop, update.update_id)

    def _keep(self, update: Update) -> bool:
        with self._store.write(urgent=True) as repositories:
            return repositories.telegram.keep_update(self._desk.bot_id, update.update_id, update.to_dict(), utc_now())

    def _drop(self, update_id: int) -> None:
        with self._store.write(urgent=True) as repositories:
            repositories.telegram.drop_update(self._desk.bot_id, update_id)

    def _left(self) -> list[dict[str, object]]:
        oldest = utc_now() - FORGET_AFTER
        with self._store.write(urgent=True) as repositories:
            kept = repositories.telegram.kept_updates(self._desk.bot_id)
            for row in kept:
                if row.taken_at < oldest:
                    repositories.telegram.drop_update(row.bot_id, row.update_id)
        return [row.body for row in kept if row.taken_at >= oldest]
