"""Who steers a group: everybody in it, or, where it is set so, its administrators."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

import structlog
from telegram import Bot
from telegram.error import TelegramError

from bots.telegram.refusals import error_code
from bots.telegram.target import Target
from core.settings import Settings

log = structlog.get_logger(__name__)

# Somebody who is an administrator no more may be taken for one for so long.
BELIEVED_S = 60.0
# Nobody waits longer for Telegram to tell.
TIMEOUT_S = 5.0
_KNOWN_CHATS = 1_000


class Rights:
    """Asks Telegram who leads a group, and believes it for a minute. `clock` tells seconds."""

    def __init__(self, settings: Settings, bot: Bot, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_admins = settings.telegram_steering == "admins"
        self._bot = bot
        self._clock = clock
        self._known: OrderedDict[int, tuple[float, frozenset[int]]] = OrderedDict()

    async def steers(self, target: Target) -> bool:
        """Whether `target.user_id` may decide what holds for all who are there. In a chat of his own everybody may.

        Where Telegram does not tell, nobody does: he can try again.
        """
        if not self._by_admins or target.private or target.owner_id:
            return True
        # Who writes as the group itself is an anonymous administrator of it; who writes as a channel is anybody.
        if target.user_id == target.chat_id:
            return True
        return target.user_id in await self._admins(target.chat_id)

    async def _admins(self, chat_id: int) -> frozenset[int]:
        known = self._known.get(chat_id)
        if known is not None and self._clock() < known[0]:
            return known[1]
        try:
            async with asyncio.timeout(TIMEOUT_S):
                members = await self._bot.get_chat_administrators(chat_id)
        except (TelegramError, TimeoutError) as error:
            log.warning("telegram_admins_not_known", chat=chat_id, error=error_code(error))
            return frozenset()
        admins = frozenset(member.user.id for member in members)
        self._known[chat_id] = self._clock() + BELIEVED_S, admins
        self._known.move_to_end(chat_id)
        if len(self._known) > _KNOWN_CHATS:
            self._known.popitem(last=False)
        return admins
