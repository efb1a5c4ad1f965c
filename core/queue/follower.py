"""One reader of one turn: what it has seen of the stream, and what it is told."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Literal

from core.queue.events import Ended, FollowEvent, Reset, Retrying, Seen, Text, Waiting
from core.queue.streams import Entry
from core.store.models import Turn

FIRST = "0-0"
# A stream that is silent from the start may be gone already, or the turn waits: ask SQL soon, later less often.
FIRST_LOOK_S = 0.1
NEXT_LOOK_S = 1.0
# On a common beat, so that SQL is asked once for many readers and not once for each.
BEAT_S = 0.25
# The row is final a moment before the stream's end is written; so long the text has to arrive.
LAST_LOOK_S = 0.2
ANY_ATTEMPT = 2**31


@dataclass(eq=False, slots=True)
class Follower:
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
    # No more text is awaited of attempts up to this one: the stream said that it has ended, or had time enough.
    heard: int = -1
    position: int = -1
    # When SQL is asked, if the stream stays silent until then (event loop time, seconds).
    look_at: float = 0.0
    # Nothing has come from the stream since SQL was asked, so what SQL says of waiting is not out of date.
    silent: bool = False
    ended: bool = False

    def __post_init__(self) -> None:
        if self.cursor == FIRST:
            self.offsets = {"text": 0, "think": 0}

    def take(self, cursor: str, entry: Entry | None, now: float) -> None:
        """Turn an entry (None: a broken one) into events. `now` is event loop time."""
        self.cursor = cursor
        self.silent = False
        self.look_at = _next_look(now)
        if entry is None:
            self.gap = True
            return
        if entry.kind == "end":
            self.heard = max(self.heard, entry.attempt)
            self.look_at = now
            return
        if entry.attempt < self.attempt:
            return
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
        elif entry.kind == "seen":
            # Whole in itself: a hole before it does not matter. One that cannot be read comes with the end.
            with suppress(ValueError):
                self.queue.put_nowait(Seen(cursor, json.loads(entry.text)))
        elif entry.kind in ("text", "think"):
            self._text(cursor, entry, "think" if entry.kind == "think" else "text")

    def _text(self, cursor: str, entry: Entry, kind: Literal["text", "think"]) -> None:
        # A hole (Redis wiped or trimmed in mid-answer) cannot be shown as text; `Ended` brings the whole answer.
        self.gap = self.gap or self.offsets.get(kind, entry.offset) != entry.offset
        if not self.gap:
            self.offsets[kind] = entry.offset + len(entry.text)
            self.queue.put_nowait(Text(cursor, entry.text, kind))

    def looks(self, now: float) -> int:
        """SQL is about to be asked. If it says that this attempt or an earlier one was the last, that is the end."""
        heard, self.heard = self.heard, -1
        self.silent = True
        self.look_at = _next_look(now)
        return heard

    def waits(self, position: int | None) -> None:
        """SQL says: not final. Tell the place in the queue (None: in none), where it is a new one."""
        if self.silent and position is not None and position != self.position:
            self.position = position
            self.queue.put_nowait(Waiting(self.cursor, position))

    def is_overdue(self, now: float) -> None:
        """SQL says: final. The stream has a moment to say so too."""
        self.heard = ANY_ATTEMPT
        self.look_at = now + LAST_LOOK_S

    def end(self, turn: Turn | None) -> None:
        """Tell the end; None: the turn's row is gone."""
        self.ended = True
        self.queue.put_nowait(Ended(self.cursor, turn) if turn is not None else None)


def _next_look(now: float) -> float:
    return ceil((now + NEXT_LOOK_S) / BEAT_S) * BEAT_S
