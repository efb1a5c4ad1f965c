"""Following turns from an asyncio process: one blocking XREAD over all streams, SQL whenever a stream is silent.

The two run beside each other, so that a slow database does not hold up text. Every `follow` ends with `Ended`, built
from the row in SQL, also when Redis was wiped, restarted or is away.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.errors import GlimtError, NotFound
from core.queue.events import Ended, FollowEvent, Reset, Retrying, Seen, Text, Waiting
from core.queue.follower import ANY_ATTEMPT, FIRST, FIRST_LOOK_S, Follower
from core.queue.streams import Entry, stream_key
from core.store.database import Store
from core.store.models import Turn
from core.store.turn_watch import Standing
from core.values import TurnState

__all__ = ["FIRST", "Ended", "FollowEvent", "Reset", "Retrying", "Seen", "StreamHub", "Text", "Waiting"]

log = structlog.get_logger(__name__)

# Below the clients' time-out for an answer.
BLOCK_S = 1.0
PAUSE_S = 0.5
# So often at most the list of streams is brought up to date, and SQL is asked, where MANY turns are followed: with a
# hundred new readers a second, doing it for each is most of the work of the process. Fewer cost less and wait less.
WAKE_EVERY_S = 0.05
LOOK_EVERY_S = 0.02
MANY = 100
# Redis fails on numbers beyond 64 bits, and with them on everybody else's streams.
_CURSOR = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")


class _Rows(NamedTuple):
    """What SQL says: how the turns stand that exist, rows of those whose end may be told, places of those that wait."""

    standings: dict[str, Standing]
    ended: dict[str, Turn]
    positions: dict[str, int]


class StreamHub:
    """Serves any number of followers in one process. Use it as an async context manager."""

    def __init__(self, redis: Redis, store: Store) -> None:
        self._redis = redis
        self._store = store
        self._followers: dict[str, set[Follower]] = {}
        self._wake_key = f"glimt:hub:{id(self):x}:{asyncio.get_running_loop().time()}"
        self._wake_cursor = FIRST
        self._waking: asyncio.Task[None] | None = None
        self._wake_at = 0.0
        self._may_look_at = 0.0
        # SQL may have to be asked earlier than was thought.
        self._look_again = asyncio.Event()
        self._redis_is_away = False
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._closing = False

    async def __aenter__(self) -> Self:
        self._tasks = (
            asyncio.create_task(self._run(self._read), name="stream-hub"),
            asyncio.create_task(self._run(self._look), name="stream-hub-sql"),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._closing = True
        # Again and again, because redis-py was seen to swallow a cancellation that hits it in mid-command.
        tasks = (*self._tasks, *((self._waking,) if self._waking is not None else ()))
        while running := [task for task in tasks if not task.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=0.05)

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
        follower = Follower(turn_id, await self._known(turn_id, after))
        follower.look_at = asyncio.get_running_loop().time() + FIRST_LOOK_S
        self._followers.setdefault(turn_id, set()).add(follower)
        self._look_again.set()
        if self._waking is None:
            self._waking = asyncio.create_task(self._wake())
        try:
            while True:
                event = await follower.queue.get()
                if event is None:
                    raise NotFound(f"turn {turn_id} is gone")
                yield event
                if isinstance(event, Ended):
                    return
        finally:
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

    def _crowd(self) -> float:
        """How much of MANY turns is followed, at most 1."""
        return min(1.0, len(self._followers) / MANY)

    async def _wake(self) -> None:
        """End the running XREAD, whose list of streams is out of date."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._wake_at - loop.time())
        self._wake_at = loop.time() + WAKE_EVERY_S * self._crowd()
        # Whoever comes from now on may be too late for this one.
        self._waking = None
        try:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.xadd(self._wake_key, {b"k": b"wake"}, maxlen=1, approximate=False)
            pipeline.expire(self._wake_key, 60)
            await pipeline.execute()
        except RedisError:
            pass  # `_read` notices by itself and SQL has the end.

    async def _run(self, step: Callable[[], Awaitable[None]]) -> None:
        while not self._closing:
            try:
                await step()
            except Exception:
                # A mistake of ours must not leave every reader of this process waiting for ever.
                log.exception("stream_hub_error")
                await asyncio.sleep(PAUSE_S)

    def _all(self) -> Iterator[Follower]:
        for group in self._followers.values():
            yield from group

    async def _read(self) -> None:
        """One XREAD over all streams."""
        cursors = {self._wake_key: self._wake_cursor}
        turn_of = {}
        for turn_id, group in self._followers.items():
            key = stream_key(turn_id)
            turn_of[key.encode()] = turn_id
            cursors[key] = min((f.cursor for f in group), key=_cursor_order)
        try:
            answer: Any = await self._redis.xread(cursors, block=int(BLOCK_S * 1000))  # type: ignore[arg-type]  # dict is invariant
        except RedisError as error:
            self._redis_is_away = True
            log.warning("stream_read_failed", error=type(error).__name__)
            await asyncio.sleep(PAUSE_S)
            return
        self._redis_is_away = False
        for key, entries in answer or ():
            followed = turn_of.get(key)
            if followed is None:
                self._wake_cursor = entries[-1][0].decode()
                continue
            for raw_cursor, fields in entries:
                self._hand_out(followed, raw_cursor.decode(), Entry.parse(fields))

    def _hand_out(self, turn_id: str, cursor: str, entry: Entry | None) -> None:
        now = asyncio.get_running_loop().time()
        for follower in self._followers.get(turn_id, ()):
            if _cursor_order(cursor) > _cursor_order(follower.cursor):
                follower.take(cursor, entry, now)
                if follower.look_at <= now:
                    self._look_again.set()

    async def _look(self) -> None:
        """Wait until SQL is to be asked about somebody's turn, and ask about all such turns in one read."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._may_look_at - loop.time())
        self._look_again.clear()
        now = loop.time()
        waiting = [follower for follower in self._all() if not follower.ended]
        due = [follower for follower in waiting if follower.look_at <= now]
        if not due:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min((f.look_at for f in waiting), default=None)):
                    await self._look_again.wait()
            return
        self._may_look_at = now + LOOK_EVERY_S * self._crowd()
        heard = {follower: follower.looks(now) for follower in due}
        if self._redis_is_away:
            # No text will come that an end in SQL could overtake.
            heard = dict.fromkeys(due, ANY_ATTEMPT)
        try:
            rows = await asyncio.to_thread(self._rows, {(f.turn_id, attempt) for f, attempt in heard.items()})
        except GlimtError as error:
            log.warning("follow_lookup_failed", error=error.code)
            return
        for follower in due:
            standing = rows.standings.get(follower.turn_id)
            if standing is None:
                follower.end(None)
            elif not standing.is_final:
                follower.waits(rows.positions.get(follower.turn_id))
            elif heard[follower] >= standing.attempt:
                follower.end(rows.ended[follower.turn_id])
            else:
                follower.is_overdue(asyncio.get_running_loop().time())

    def _rows(self, heard: set[tuple[str, int]]) -> _Rows:
        with self._store.read() as repositories:
            standings = repositories.turns.standings({turn_id for turn_id, _ in heard})
            ended = {t for t, attempt in heard if (s := standings.get(t)) and s.is_final and attempt >= s.attempt}
            waiting = [turn_id for turn_id, standing in standings.items() if standing.state == TurnState.READY]
            return _Rows(standings, repositories.turns.by_ids(ended), repositories.turns.positions(waiting))


def _cursor_order(cursor: str) -> tuple[int, int]:
    milliseconds, _, number = cursor.partition("-")
    return int(milliseconds), int(number)
