"""Telegram's flood control, kept before Telegram has to insist on it: so many calls a second, for a chat, for a group.

It stands between PTB's methods and HTTP. A call takes a slot when it begins and gives it back one period after Telegram
answered: however long the network takes, Telegram never sees more than is allowed in any period. What ends an answer
goes first; what only shows how it grows is refused at once (`NotNow`) where it would be in the way (docs/adr/0021).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import Any

import structlog
from telegram.error import RetryAfter, TelegramError
from telegram.ext import BaseRateLimiter

from bots.telegram.refusals import retry_after_s

log = structlog.get_logger(__name__)

Answer = bool | dict[str, Any] | list[dict[str, Any]]
# Clocks of two machines, and a timer that fires early.
_MARGIN_S = 0.02
# A longer wait is not sat out here: who called is told, and writes it down.
MOST_WAIT_S = 30.0
# Two chats that are told to wait within so many seconds: it is not about the chats.
_TOGETHER_S = 2.0
_KNOWN_CHATS = 5_000
# Of so many calls one is a reply, as long as both wait.
_REPLY_EVERY = 5


class Rank(IntEnum):
    """What goes first."""

    FINAL = 0
    REPLY = 1
    PREVIEW = 2


class NotNow(TelegramError):
    """A preview was left out because there is no room for it; a later one may be shown."""

    def __init__(self) -> None:
        super().__init__("left out: no room for a preview")


@dataclass(frozen=True, slots=True)
class Pace:
    """What Telegram takes: messages, edits and drafts in `overall_s` from this bot, one in `chat_s` for a chat, and in
    `group_s` for a group. A chat that was quiet may get a `burst`, so that no answer waits for its own preview.
    Previews leave `spare` of all and `group_spare` of a group's to what must not wait."""

    overall: int = 30
    overall_s: float = 1.0
    chat_s: float = 1.0
    burst: int = 2
    group: int = 20
    group_s: float = 60.0
    spare: int = 6
    group_spare: int = 8


@dataclass(slots=True)
class _Chat:
    is_group: bool
    busy: bool = False
    told_until: float = 0.0
    # When its last calls had ended: those of a burst, or of the last `group_s` in a group.
    ended: deque[float] = field(default_factory=deque)


@dataclass(slots=True)
class _Waiting:
    chat: _Chat
    granted: asyncio.Future[None]


_RANK: ContextVar[Rank] = ContextVar("telegram_rank", default=Rank.REPLY)


@contextmanager
def ranked(rank: Rank) -> Iterator[None]:
    """Calls within the block are of this rank; all others are replies."""
    token = _RANK.set(rank)
    try:
        yield
    finally:
        _RANK.reset(token)


class Limits(BaseRateLimiter[int]):
    """One for each bot token and installation; belongs to one event loop."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._chats: dict[int | str, _Chat] = {}
        self._running = 0
        self._ended: deque[float] = deque()
        self._waiting: tuple[dict[int, _Waiting], ...] = ({}, {})
        self._number = self._granted = 0
        self._timer: asyncio.TimerHandle | None = None
        self._told_until = 0.0
        self._told_last: tuple[int | str, float] = ("", float("-inf"))

    async def initialize(self) -> None:
        """Nothing is needed."""

    async def shutdown(self) -> None:
        """Nothing more is granted by time."""
        if self._timer is not None:
            self._timer.cancel()

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Answer]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Answer:
        """Make the call when it may be made.

        Raises:
            NotNow: a preview, and there is no room.
            RetryAfter: Telegram wants a longer pause than `MOST_WAIT_S`; a preview is not repeated at all.
        """
        chat_id, rank = data.get("chat_id"), _RANK.get()
        if chat_id is None or not _counts(endpoint):
            if endpoint.lower() == "sendchataction" and not self._has_room_for_previews():
                raise NotNow
            return await callback(*args, **kwargs)
        while True:
            self._refuse_long_waits(chat_id)
            chat = await self._enter(chat_id, rank)
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as error:
                pause = retry_after_s(error)
                self._told(chat_id, chat, pause)
                if rank is Rank.PREVIEW or pause > MOST_WAIT_S:
                    raise
            finally:
                self._leave(chat)

    def _refuse_long_waits(self, chat_id: int | str) -> None:
        left = self._chat(chat_id).told_until - _now()
        if left > MOST_WAIT_S:
            raise RetryAfter(timedelta(seconds=left))

    async def _enter(self, chat_id: int | str, rank: Rank) -> _Chat:
        chat = self._chat(chat_id)
        if rank is Rank.PREVIEW:
            if not self._has_room_for_previews() or not self._may_begin(chat, preview=True):
                raise NotNow
            self._take(chat)
            return chat
        self._number += 1
        waiting = _Waiting(chat, asyncio.get_running_loop().create_future())
        queue, number = self._waiting[rank], self._number
        queue[number] = waiting
        self._grant()
        try:
            await waiting.granted
        except asyncio.CancelledError:
            if queue.pop(number, None) is None and waiting.granted.done() and not waiting.granted.cancelled():
                # Granted and cancelled at once: the slot was not used.
                self._leave(chat)
            raise
        return chat

    def _leave(self, chat: _Chat) -> None:
        now = _now()
        self._running -= 1
        self._ended.append(now)
        chat.busy = False
        chat.ended.append(now)
        self._grant()

    def _take(self, chat: _Chat) -> None:
        chat.busy = True
        self._running += 1

    def _grant(self) -> None:
        """Let begin what may begin now, and look again when more may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._room() > 0 and (waiting := self._next()) is not None:
            self._granted += 1
            self._take(waiting.chat)
            waiting.granted.set_result(None)
        when = self._next_look()
        if when is not None:
            self._timer = asyncio.get_running_loop().call_at(max(when, _now() + 0.001), self._grant)

    def _next(self) -> _Waiting | None:
        """Whose turn it is; no more waiting then. Finals first, but whoever says Stop must not wait for all of them."""
        turn = self._waiting[::-1] if self._granted % _REPLY_EVERY == _REPLY_EVERY - 1 else self._waiting
        for queue in turn:
            for number, waiting in queue.items():
                if not waiting.granted.cancelled() and self._may_begin(waiting.chat):
                    return queue.pop(number)
        return None

    def _next_look(self) -> float | None:
        """When time alone lets something begin; None: nothing waits, or a call has to end first."""
        if not any(self._waiting):
            return None
        if _now() < self._told_until:
            return self._told_until
        if self._room() <= 0:
            return self._ended[0] + self._pace.overall_s + _MARGIN_S if self._ended else None
        times = [self._free_at(w.chat) for queue in self._waiting for w in queue.values() if not w.chat.busy]
        return min(times, default=None)

    def _room(self) -> int:
        """How many calls may begin now, whatever their chat."""
        now = _now()
        if now < self._told_until:
            return 0
        while self._ended and self._ended[0] + self._pace.overall_s + _MARGIN_S <= now:
            self._ended.popleft()
        return self._pace.overall - self._running - len(self._ended)

    def _has_room_for_previews(self) -> bool:
        return not any(self._waiting) and self._room() > self._pace.spare

    def _may_begin(self, chat: _Chat, *, preview: bool = False) -> bool:
        return not chat.busy and self._free_at(chat, preview=preview) <= _now()

    def _free_at(self, chat: _Chat, *, preview: bool = False) -> float:
        pace = self._pace
        burst = 1 if preview else pace.burst
        at = max(chat.told_until, _after(chat.ended, burst, burst * pace.chat_s))
        if chat.is_group:
            at = max(at, _after(chat.ended, pace.group - (pace.group_spare if preview else 0), pace.group_s))
        kept_s = pace.group_s if chat.is_group else pace.burst * pace.chat_s
        while chat.ended and chat.ended[0] + kept_s + _MARGIN_S <= _now():
            chat.ended.popleft()
        return at

    def _told(self, chat_id: int | str, chat: _Chat, pause: float) -> None:
        """Telegram wants to be left alone: for this chat, or, if it says so for several at once, altogether."""
        now = _now()
        log.warning("telegram_flood", seconds=pause, group=chat.is_group)
        chat.told_until = max(chat.told_until, now + pause + _MARGIN_S)
        other, at = self._told_last
        if other != chat_id and now - at < _TOGETHER_S:
            self._told_until = max(self._told_until, now + min(pause, MOST_WAIT_S) + _MARGIN_S)
        self._told_last = chat_id, now

    def _chat(self, chat_id: int | str) -> _Chat:
        # In PTB's words a chat may be a number as text.
        known = str(chat_id)
        if known not in self._chats:
            if len(self._chats) >= _KNOWN_CHATS:
                self._forget_idle()
            # Groups and channels have negative ids, or names.
            self._chats[known] = _Chat(is_group=not known.isdigit())
        return self._chats[known]

    def _forget_idle(self) -> None:
        now, waiting = _now(), {id(w.chat) for queue in self._waiting for w in queue.values()}
        for chat_id, chat in list(self._chats.items()):
            rests = not chat.busy and max(chat.told_until, self._free_at(chat)) <= now and not chat.ended
            if rests and id(chat) not in waiting:
                del self._chats[chat_id]


def _after(ended: deque[float], most: int, seconds: float) -> float:
    """When one more call keeps to `most` in any `seconds`."""
    return ended[-most] + seconds + _MARGIN_S if len(ended) >= most else 0.0


def _counts(endpoint: str) -> bool:
    """Whether Telegram counts a call as a message."""
    name = endpoint.lower()
    return name.startswith(("send", "edit", "copy", "forward")) and name != "sendchataction"


def _now() -> float:
    return asyncio.get_running_loop().time()
