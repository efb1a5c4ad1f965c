"""Following turns from an asyncio process: one blocking XREAD over all streams, SQL whenever a stream is silent.

Every `follow` ends with `Ended`, built from the row in SQL, also when Redis was wiped, restarted or is away.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.errors import GlimtError
from core.queue.streams import Entry, stream_key
from core.store.database import Store
from core.store.models import Turn
from core.values import FINAL_STATES, TurnState

log = structlog.get_logger(__name__)

# Below redis-py's default socket timeout of 5 s.
BLOCK_S = 1.0
# A stream that is silent from the start may be gone already, or the turn waits: ask SQL soon, later less often.
FIRST_LOOK_S = 0.1
NEXT_LOOK_S = 1.0
FIRST = "0-0"


@dataclass(frozen=True, slots=True)
class Reset:
    """A new attempt begins: forget the text so far."""

    cursor: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Text:
    """More text, directly behind what came before."""

    cursor: str
    text: str
    kind: Literal["text", "think"]


@dataclass(frozen=True, slots=True)
class Retrying:
    """The attempt failed; another follows. `message` is for the user."""

    cursor: str
    message: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not begun yet; `position` turns of other conversations are before it."""

    cursor: str
    position: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn is final; `turn` is its row, whose answer is the truth even where it differs from the text so far."""

    cursor: str
    turn: Turn


FollowEvent = Reset | Text | Retrying | Waiting | Ended


@dataclass(eq=False, slots=True)
class _Follower:
    """One reader of one turn."""

    turn_id: str
    cursor: str
    queue: "asyncio.Queue[FollowEvent]" = field(default_factory=asyncio.Queue)
    attempt: int = 0
    # Expected next offset by kind; unknown after a resume until the first entry tells.
    offsets: dict[str, int] = field(default_factory=dict)
    gap: bool = False
    ended: bool = False
    position: int = -1
    # When SQL is asked if the stream stays silent (event loop time, seconds).
    look_at: float = 0.0

    def take(self, cursor: str, entry: Entry) -> bool:
        """Turn an entry into events; True if SQL should be asked whether the turn is final."""
        self.cursor = cursor
        if entry.kind == "end":
            return True
        if entry.attempt < self.attempt:
            return False
        if entry.kind == "reset" or entry.attempt > self.attempt:
            fresh = entry.kind == "reset" or self.attempt > 0
            self.attempt = entry.attempt
            self.gap = False
            self.offsets = {"text": 0, "think": 0} if fresh else {}
            if fresh:
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
        if self._task is not None:
            # The flag as well, because redis-py was seen to swallow a cancellation that hits it in mid-command.
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def follower_count(self) -> int:
        """How many readers are being served."""
        return sum(len(group) for group in self._followers.values())

    async def follow(self, turn_id: str, after: str = FIRST) -> AsyncGenerator[FollowEvent, None]:
        """Events of one turn behind the cursor `after`, live until `Ended`.

        The turn must exist. A cursor of a stream that is gone, or no cursor Redis would take, reads from the start.
        """
        follower = _Follower(turn_id, after if _is_cursor(after) else FIRST)
        follower.look_at = asyncio.get_running_loop().time() + FIRST_LOOK_S
        self._followers.setdefault(turn_id, set()).add(follower)
        await self._wake()
        try:
            while True:
                event = await follower.queue.get()
                yield event
                if isinstance(event, Ended):
                    return
        finally:
            group = self._followers[turn_id]
            group.discard(follower)
            if not group:
                del self._followers[turn_id]

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
            asked: set[str] = set()
            try:
                asked = await self._read()
            except RedisError as error:
                log.warning("stream_read_failed", error=type(error).__name__)
                await asyncio.sleep(0.5)
            except Exception:
                # One broken entry must not stop every reader of this process.
                log.exception("stream_hub_error")
                await asyncio.sleep(0.5)
            now = asyncio.get_running_loop().time()
            silent = {f.turn_id for f in self._all() if f.look_at <= now}
            for follower in self._all():
                if follower.turn_id in silent:
                    follower.look_at = now + NEXT_LOOK_S
            if asked or silent:
                await self._look_up(asked | silent, silent)

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

    async def _look_up(self, turn_ids: set[str], silent: set[str]) -> None:
        """Ask SQL, in one read, which of the turns are final and where the silent ones stand."""
        try:
            turns, positions = await asyncio.to_thread(self._rows, turn_ids, silent)
        except GlimtError as error:
            log.warning("follow_lookup_failed", error=error.code)
            return
        for turn_id in turn_ids:
            turn = turns.get(turn_id)
            for follower in self._followers.get(turn_id, ()):
                if follower.ended:
                    continue
                if turn is not None and turn.state in FINAL_STATES:
                    follower.ended = True
                    follower.queue.put_nowait(Ended(follower.cursor, turn))
                elif turn_id in positions and positions[turn_id] != follower.position:
                    follower.position = positions[turn_id]
                    follower.queue.put_nowait(Waiting(follower.cursor, follower.position))

    def _rows(self, turn_ids: set[str], silent: set[str]) -> tuple[dict[str, Turn], dict[str, int]]:
        with self._store.read() as repositories:
            turns = repositories.turns.by_ids(turn_ids)
            waiting = [t for t in silent if t in turns and turns[t].state == TurnState.READY]
            return turns, {turn_id: repositories.turns.position(turn_id) for turn_id in waiting}


def _is_cursor(text: str) -> bool:
    milliseconds, _, number = text.partition("-")
    return milliseconds.isascii() and milliseconds.isdigit() and number.isascii() and number.isdigit()


def _cursor_order(cursor: str) -> tuple[int, int]:
    milliseconds, _, number = cursor.partition("-")
    return int(milliseconds), int(number)
