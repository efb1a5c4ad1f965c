"""Following turns from an asyncio process: one blocking XREAD over all streams, SQL whenever a stream is silent.

Every `follow` ends with `Ended`, built from the row in SQL, also when Redis was wiped, restarted or is away.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.errors import GlimtError, NotFound
from core.queue.events import Ended, FollowEvent, Reset, Retrying, Text, Waiting
from core.queue.streams import Entry, stream_key
from core.store.database import Store
from core.store.models import Turn
from core.values import FINAL_STATES, TurnState

__all__ = ["FIRST", "Ended", "FollowEvent", "Reset", "Retrying", "StreamHub", "Text", "Waiting"]

log = structlog.get_logger(__name__)

# Below the clients' time-out for an answer.
BLOCK_S = 1.0
# A stream that is silent from the start may be gone already, or the turn waits: ask SQL soon, later less often.
FIRST_LOOK_S = 0.1
NEXT_LOOK_S = 1.0
# The row is final a moment before the stream's end is written; so long the text has to arrive.
LAST_LOOK_S = 0.2
FIRST = "0-0"
# Redis fails on numbers beyond 64 bits, and with them on everybody else's streams.
_CURSOR = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")


@dataclass(eq=False, slots=True)
class _Follower:
    """One reader of one turn."""

    turn_id: str
    cursor: str
    # None: the turn's row is gone.
    queue: "asyncio.Queue[FollowEvent | None]" = field(default_factory=asyncio.Queue)
    attempt: int = 0
    # Expected next offset by kind; unknown after a resume until the first entry tells.
    offsets: dict[str, int] = field(default_factory=dict)
    # Entries are missing from here to the next attempt.
    gap: bool = False
    ended: bool = False
    # SQL said that the turn is final while the stream has not come to its end.
    overdue: bool = False
    position: int = -1
    # When SQL is asked if the stream stays silent (event loop time, seconds).
    look_at: float = 0.0

    def __post_init__(self) -> None:
        if self.cursor == FIRST:
            self.offsets = {"text": 0, "think": 0}

    def take(self, cursor: str, entry: Entry | None) -> bool:
        """Turn an entry (None: a broken one) into events; True if SQL should be asked whether the turn is final."""
        self.cursor = cursor
        if entry is None:
            self.gap = True
            return False
        if entry.kind == "end":
            return True
        if entry.attempt < self.attempt:
            return False
        if entry.kind == "reset" or entry.attempt > self.attempt:
            # The first entry after a resume is of the attempt that the reader knows, if it is no reset.
            fresh = entry.kind == "reset" or self.attempt > 0
            self.attempt = entry.attempt
            if fresh:
                self.gap = False
                self.offsets = {"text": 0, "think": 0}
                self.queue.put_nowait(Reset(cursor, entry.attempt))
        if entry.kind == "retry":
            self.queue.put_nowait(Retrying(cursor, entry.text))
        elif entry.kind in ("text", "think"):
            self._text(cursor, entry, "think" if entry.kind == "think" else "text")
        return False

    def _text(self, cursor: str, entry: Entry, kind: Literal["text", "think"]) -> None:
        # A hole (Redis wiped or trimmed in mid-answer) cannot be shown as text; `Ended` brings the whole answer.
        self.gap = self.gap or self.offsets.get(kind, entry.offset) != entry.offset
        if not self.gap:
            self.offsets[kind] = entry.offset + len(entry.text)
            self.queue.put_nowait(Text(cursor, entry.text, kind))


class StreamHub:
    """Serves any number of followers in one process. Use it as an async context manager."""

    def __init__(self, redis: Redis, store: Store) -> None:
        self._redis = redis
        self._store = store
        self._followers: dict[str, set[_Follower]] = {}
        self._wake_key = f"glimt:hub:{id(self):x}:{asyncio.get_running_loop().time()}"
        self._wake_cursor = FIRST
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="stream-hub")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._closing = True
        # Again and again, because redis-py was seen to swallow a cancellation that hits it in mid-command.
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.05)

    @property
    def follower_count(self) -> int:
        """How many readers are being served."""
        return sum(len(group) for group in self._followers.values())

    async def follow(self, turn_id: str, after: str = FIRST) -> AsyncGenerator[FollowEvent, None]:
        """Events of one turn behind the cursor `after`, live until `Ended`.

        A cursor of a stream that is gone, or that never was one, reads from the start.

        Raises:
            NotFound: there is no such turn (any more).
        """
        follower = _Follower(turn_id, await self._known(turn_id, after))
        follower.look_at = asyncio.get_running_loop().time() + FIRST_LOOK_S
        self._followers.setdefault(turn_id, set()).add(follower)
        waking = asyncio.create_task(self._wake())
        try:
            while True:
                event = await follower.queue.get()
                if event is None:
                    raise NotFound(f"turn {turn_id} is gone")
                yield event
                if isinstance(event, Ended):
                    return
        finally:
            waking.cancel()
            group = self._followers[turn_id]
            group.discard(follower)
            if not group:
                del self._followers[turn_id]

    async def _known(self, turn_id: str, cursor: str) -> str:
        """`cursor` if the stream has that entry, so that what follows it is known to be all; else the start."""
        if cursor == FIRST or not _CURSOR.fullmatch(cursor):
            return FIRST
        try:
            return cursor if await self._redis.xrange(stream_key(turn_id), cursor, cursor) else FIRST
        except RedisError:
            return FIRST

    async def _wake(self) -> None:
        """End the running XREAD, whose list of streams is out of date."""
        try:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.xadd(self._wake_key, {b"k": b"wake"}, maxlen=1, approximate=False)
            pipeline.expire(self._wake_key, 60)
            await pipeline.execute()
        except RedisError:
            pass  # `_run` notices by itself and falls back to SQL.

    async def _run(self) -> None:
        while not self._closing:
            try:
                await self._round()
            except Exception:
                # A mistake of ours must not leave every reader of this process waiting for ever.
                log.exception("stream_hub_error")
                await asyncio.sleep(0.5)

    async def _round(self) -> None:
        asked: set[str] | None = None
        try:
            asked = await self._read()
        except RedisError as error:
            log.warning("stream_read_failed", error=type(error).__name__)
            await asyncio.sleep(0.5)
        now = asyncio.get_running_loop().time()
        silent = {follower.turn_id for follower in self._all() if follower.look_at <= now}
        for turn_id in silent:
            for follower in self._followers[turn_id]:
                follower.look_at = now + NEXT_LOOK_S
        if asked or silent:
            # Without Redis no text will come that an end in SQL could overtake.
            await self._look_up(silent if asked is None else asked, silent)

    def _all(self) -> Iterator[_Follower]:
        for group in self._followers.values():
            yield from group

    async def _read(self) -> set[str]:
        """One XREAD; returns the turns that may be final."""
        cursors = {self._wake_key: self._wake_cursor}
        turn_of = {}
        for turn_id, group in self._followers.items():
            key = stream_key(turn_id)
            turn_of[key.encode()] = turn_id
            cursors[key] = min((f.cursor for f in group), key=_cursor_order)
        now = asyncio.get_running_loop().time()
        wait_s = min([BLOCK_S, *(f.look_at - now for f in self._all())])
        block = max(int(wait_s * 1000), 1)
        answer: Any = await self._redis.xread(cursors, block=block)  # type: ignore[arg-type]  # dict is invariant
        now = asyncio.get_running_loop().time()
        asked = set()
        for key, entries in answer or ():
            followed = turn_of.get(key)
            if followed is None:
                self._wake_cursor = entries[-1][0].decode()
                continue
            for raw_cursor, fields in entries:
                cursor, entry = raw_cursor.decode(), Entry.parse(fields)
                for follower in self._followers.get(followed, ()):
                    if _cursor_order(cursor) <= _cursor_order(follower.cursor):
                        continue
                    follower.look_at = now + NEXT_LOOK_S
                    if follower.take(cursor, entry):
                        asked.add(followed)
        return asked

    async def _look_up(self, asked: set[str], silent: set[str]) -> None:
        """Ask SQL, in one read, which of the turns are final and where the silent ones stand."""
        try:
            turns, positions = await asyncio.to_thread(self._rows, asked | silent, silent)
        except GlimtError as error:
            log.warning("follow_lookup_failed", error=error.code)
            return
        for turn_id in asked | silent:
            turn = turns.get(turn_id)
            for follower in self._followers.get(turn_id, ()):
                if follower.ended:
                    continue
                if turn is None:
                    follower.ended = True
                    follower.queue.put_nowait(None)
                elif turn.state not in FINAL_STATES:
                    follower.overdue = False
                    self._show_position(follower, positions.get(turn_id, follower.position))
                elif turn_id in asked or follower.overdue:
                    follower.ended = True
                    follower.queue.put_nowait(Ended(follower.cursor, turn))
                else:
                    follower.overdue = True
                    follower.look_at = asyncio.get_running_loop().time() + LAST_LOOK_S

    @staticmethod
    def _show_position(follower: _Follower, position: int) -> None:
        if position != follower.position:
            follower.position = position
            follower.queue.put_nowait(Waiting(follower.cursor, position))

    def _rows(self, turn_ids: set[str], silent: set[str]) -> tuple[dict[str, Turn], dict[str, int]]:
        with self._store.read() as repositories:
            turns = repositories.turns.by_ids(turn_ids)
            waiting = [t for t in silent if t in turns and turns[t].state == TurnState.READY]
            return turns, {turn_id: repositories.turns.position(turn_id) for turn_id in waiting}


def _cursor_order(cursor: str) -> tuple[int, int]:
    milliseconds, _, number = cursor.partition("-")
    return int(milliseconds), int(number)
