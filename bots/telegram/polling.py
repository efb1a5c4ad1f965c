"""Long polling: updates are asked for, committed, and only then acknowledged by the next question.

Telegram keeps what was not acknowledged for a day, so a process that dies, or a database that is away, loses nothing.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from telegram import Bot, Update, User
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bots.telegram.client import POLL_S, greet
from bots.telegram.refusals import error_code, retry_after_s
from bots.telegram.updates import ALLOWED_UPDATES, Updates, line_of
from core.errors import GlimtError

log = structlog.get_logger(__name__)

BATCH = 100
# Tells `glimt doctor` that another process was met that polls with the same token, for some minutes.
CONFLICT_KEY = "glimt:telegram:conflict:"
_CONFLICT_KEPT_S = 600.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
# Another poller is told to go away by our next question; two that share a token take turns at it for ever.
_CONFLICT_PAUSE_S = 5.0
_SAY_AGAIN_S = 60.0
_GOODBYE_S = 2.0


class Poller:
    """Feeds `updates` until it is cancelled. `bot` asks; `others` are clients that must know who we are, too."""

    def __init__(
        self, bot: Bot, updates: Updates, redis: Redis, others: Sequence[Bot] = (), *, poll_s: int = POLL_S
    ) -> None:
        self._bot = bot
        self._redis = redis
        self._others = others
        self._updates = updates
        self._poll_s = poll_s
        self._offset: int | None = None
        self._pause = _FIRST_PAUSE_S
        self._say_at = 0.0
        self._met_at = -_CONFLICT_KEPT_S

    async def run(self) -> None:
        """For ever. Raises nothing but the cancellation."""
        me = await greet(self._bot, *self._others)
        await self._leave_webhook()
        log.info("telegram_polls", bot=me.username)
        try:
            while True:
                try:
                    await self.once(me)
                except TelegramError as error:
                    await self._wait_after(error)
                except Exception:
                    # Nobody would start this task again.
                    log.exception("telegram_polling_error")
                    await asyncio.sleep(_LONGEST_PAUSE_S)
        finally:
            await self._acknowledge()

    async def once(self, me: User) -> None:
        """One question, and everything that it brought.

        Raises:
            TelegramError: nothing was brought.
        """
        updates = await self._bot.get_updates(
            offset=self._offset, limit=BATCH, timeout=self._poll_s, allowed_updates=ALLOWED_UPDATES
        )
        self._pause = _FIRST_PAUSE_S
        if updates:
            await self._take(updates, me)
            self._offset = updates[-1].update_id + 1

    async def _acknowledge(self) -> None:
        """What the last question brought is taken: who asks next need not look at it again. It would find that."""
        if self._offset is not None:
            with suppress(TelegramError, TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await self._bot.get_updates(offset=self._offset, limit=1, timeout=0)

    async def _take(self, updates: Sequence[Update], me: User) -> None:
        """Until all are in SQL: those of one chat in their order, chats side by side."""
        lines: dict[str, list[Update]] = {}
        for update in updates:
            lines.setdefault(line_of(update), []).append(update)
        while lines:
            lefts = await asyncio.gather(*(self._take_line(in_line, me) for in_line in lines.values()))
            lines = {line: left for line, left in zip(lines, lefts, strict=True) if left}
            if lines:
                await asyncio.sleep(self._longer_pause())
        self._pause = _FIRST_PAUSE_S

    async def _take_line(self, updates: Sequence[Update], me: User) -> list[Update]:
        """Those that could not be taken yet: the first one, and what comes behind it."""
        for number, update in enumerate(updates):
            try:
                await self._updates.take(update, me)
            except (GlimtError, TelegramError) as error:
                code = error.code if isinstance(error, GlimtError) else error_code(error)
                log.warning("telegram_update_not_taken", error=code)
                return list(updates[number:])
        return []

    async def _leave_webhook(self) -> None:
        """While a webhook is set, Telegram lets nobody poll."""
        while True:
            try:
                await self._bot.delete_webhook(drop_pending_updates=False)
                return
            except TelegramError as error:
                await self._wait_after(error)

    async def _wait_after(self, error: TelegramError) -> None:
        if isinstance(error, RetryAfter):
            pause = retry_after_s(error)
        elif isinstance(error, Conflict):
            pause = await self._met_another()
        elif isinstance(error, InvalidToken):
            pause = _LONGEST_PAUSE_S
        else:
            pause = self._longer_pause()
        if time.monotonic() >= self._say_at:
            self._say_at = time.monotonic() + _SAY_AGAIN_S
            log.warning("telegram_polling_waits", error=error_code(error), pause_s=pause, remedy=_remedy(error))
        await asyncio.sleep(pause)

    async def _met_another(self) -> float:
        """How long to leave the field to whoever else polls. The second time is none that has just been replaced."""
        now = time.monotonic()
        again, self._met_at = now < self._met_at + _CONFLICT_KEPT_S, now
        if not again:
            return _FIRST_PAUSE_S
        with suppress(RedisError):
            await self._redis.set(f"{CONFLICT_KEY}{self._bot.id}", b"1", ex=int(_CONFLICT_KEPT_S))
        return _CONFLICT_PAUSE_S

    def _longer_pause(self) -> float:
        pause, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE_S)
        return pause


def _remedy(error: TelegramError) -> str:
    if isinstance(error, Conflict):
        return "another process uses this bot's token: stop it, or give this one a bot of its own"
    if isinstance(error, InvalidToken):
        return "the token was taken back or is wrong: @BotFather, /token"
    return "it goes on by itself; glimt doctor telegram looks at the way to Telegram"
