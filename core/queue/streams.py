"""The stream of tokens of one turn: a Redis Stream that lives for an hour.

Entries are flat: `a` attempt, `k` kind, `o` offset in characters of `t` within this attempt's text of that kind, `t`
text; of the kind `seen` each entry is a whole observation in JSON. A reader that comes late reads from the start; one
that reconnects goes on behind the last id it saw. The stream is a convenience: whatever goes missing, the turn's row in
SQL holds the whole answer.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

Kind = Literal["reset", "seen", "text", "think", "retry", "end"]
KEY_PREFIX = "glimt:turn:"
MAX_ENTRIES = 5000


def stream_key(turn_id: str) -> str:
    """Redis key of the turn's stream."""
    return KEY_PREFIX + turn_id


@dataclass(frozen=True, slots=True)
class Entry:
    """One stream entry. `reset` starts an attempt; `retry` carries a message for the user; `end` says: look at SQL."""

    attempt: int
    kind: Kind
    offset: int = 0
    text: str = ""

    def fields(self) -> dict[Any, Any]:
        """As Redis stores it."""
        return {"a": self.attempt, "k": self.kind, "o": self.offset, "t": self.text}

    @classmethod
    def parse(cls, fields: dict[bytes, bytes]) -> "Entry | None":
        """From what XREAD returns; None if `fields` did not write it."""
        try:
            kind: Kind = fields[b"k"].decode()  # type: ignore[assignment]  # a kind of a later version is passed over
            return cls(int(fields[b"a"]), kind, int(fields[b"o"]), fields[b"t"].decode())
        except (KeyError, ValueError) as error:
            log.warning("stream_entry_broken", error=type(error).__name__)
            return None


class TurnWriter:
    """Writes one attempt. Entries are held until `flush`, so that a burst costs one round trip.

    Redis being away loses the live view, never the answer: errors are logged and swallowed here.
    """

    def __init__(self, redis: Redis, turn_id: str, attempt: int, ttl_s: int) -> None:
        self._redis = redis
        self._key = stream_key(turn_id)
        self._attempt = attempt
        self._ttl_s = ttl_s
        self._offsets = {"text": 0, "think": 0}
        self._held: list[Entry] = []
        self._add("reset")

    def _add(self, kind: Kind, text: str = "", offset: int = 0) -> None:
        self._held.append(Entry(self._attempt, kind, offset, text))

    def text(self, text: str, kind: Literal["text", "think"] = "text") -> None:
        """Append to the answer or to the thinking."""
        last = self._held[-1] if self._held else None
        if last is not None and last.kind == kind:
            self._held[-1] = Entry(self._attempt, kind, last.offset, last.text + text)
        else:
            self._add(kind, text, self._offsets[kind])
        self._offsets[kind] += len(text)

    def seen(self, observation: dict[str, Any]) -> None:
        """Add what the eyes saw: {"picture": key, "model": …, "text": …}."""
        self._add("seen", json.dumps(observation))

    def retry(self, message: str) -> None:
        """Say that this attempt failed and another follows."""
        self._add("retry", message)

    def end(self) -> None:
        """Say that the row in SQL is final. Call it after that commit."""
        self._add("end")

    def flush(self) -> None:
        """Send what is held."""
        entries, self._held = self._held, []
        write_entries(self._redis, self._key, entries, self._ttl_s)


def write_end(redis: Redis, turn_id: str, attempt: int, ttl_s: int) -> None:
    """Tell followers that somebody other than the answering worker made the turn final."""
    write_entries(redis, stream_key(turn_id), [Entry(attempt, "end")], ttl_s)


def forget_stream(redis: Redis, turn_id: str) -> None:
    """Drop what earlier attempts streamed, before a final turn is asked again: its readers shall not see it first."""
    try:
        redis.delete(stream_key(turn_id))
    except RedisError as error:
        log.warning("stream_delete_failed", turn=turn_id, error=type(error).__name__)


def write_entries(redis: Redis, key: str, entries: Sequence[Entry], ttl_s: int) -> None:
    """Append and prolong, in one round trip. Errors are logged, not raised."""
    if not entries:
        return
    try:
        pipeline = redis.pipeline(transaction=False)
        for entry in entries:
            pipeline.xadd(key, entry.fields(), maxlen=MAX_ENTRIES, approximate=True)
        pipeline.expire(key, ttl_s)
        pipeline.execute()
    except RedisError as error:
        log.warning("stream_write_failed", key=key, error=type(error).__name__)
