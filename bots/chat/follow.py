"""Following one answer for a chat platform: text at a pace that the platform allows, the end from SQL exactly once."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from core.queue.events import Ended, FollowEvent, Reset, Retrying, Seen, Text, Waiting
from core.queue.follow import StreamHub
from core.store.models import Turn


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a reader is told. The first text goes out after `first_s` seconds, more every `every_s` at the most."""

    first_s: float = 0.3
    every_s: float = 1.0


@dataclass(frozen=True, slots=True)
class InQueue:
    """Not begun yet; `before` questions are answered first."""

    before: int


@dataclass(frozen=True, slots=True)
class Looking:
    """Under way, and nothing to show yet."""


@dataclass(frozen=True, slots=True)
class Writing:
    """All that was written so far. `thinking` is empty unless asked for."""

    text: str
    thinking: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """The attempt failed and another follows; forget the text. `message` is an error's `user_message`."""

    message: str


@dataclass(frozen=True, slots=True)
class Done:
    """The turn is final; its row is the truth."""

    turn: Turn


Progress = InQueue | Looking | Writing | Again | Done


@dataclass(slots=True)
class _Draft:
    """What is known so far, and whether the reader knows it."""

    show_thinking: bool
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    news: Progress | None = None

    def take(self, event: FollowEvent) -> None:
        match event:
            case Waiting():
                self.news = InQueue(event.position)
            case Reset():
                self.text, self.thinking = [], []
                self.news = Looking()
            case Retrying():
                self.text, self.thinking = [], []
                self.news = Again(event.message)
            case Text(kind="text"):
                self.text.append(event.text)
                self._writes()
            case Text():
                self.thinking.append(event.text)
                self._writes()
            case Ended():
                self.news = Done(event.turn)
            case Seen():
                pass

    def _writes(self) -> None:
        text = "".join(self.text)
        thinking = "".join(self.thinking) if self.show_thinking else ""
        self.news = Writing(text, thinking) if text.strip() or thinking.strip() else self.news or Looking()


async def follow(
    hub: StreamHub,
    turn_id: str,
    cadence: Cadence,
    *,
    show_thinking: bool = False,
    pace: Callable[[], float] = lambda: 1.0,
) -> AsyncGenerator[Progress, None]:
    """What to show of a turn, paced; ends with `Done`, also while Redis is away.

    Of what comes between two updates only the last state is told. `pace` tells how many times slower than `cadence` it
    is to be at the moment; the end is told at once all the same. Close it (`aclosing`) when it is not read to its
    end.

    Raises:
        NotFound: there is no such turn (any more).
    """
    loop = asyncio.get_running_loop()
    draft = _Draft(show_thinking)
    async with aclosing(hub.follow(turn_id)) as events:
        pending: asyncio.Task[FollowEvent] | None = None
        told: Progress | None = None
        due = loop.time() + cadence.first_s * pace()
        try:
            while True:
                if pending is None:
                    pending = asyncio.ensure_future(anext(events))
                timeout = None if draft.news is None else max(0.0, due - loop.time())
                await asyncio.wait({pending}, timeout=timeout)
                if pending.done():
                    draft.take(pending.result())
                    pending = None
                if isinstance(draft.news, Done):
                    yield draft.news
                    return
                if draft.news == told:
                    draft.news = None
                if draft.news is not None and loop.time() >= due:
                    told, draft.news = draft.news, None
                    yield told
                    # The reader may have taken its time: count from when it was told.
                    due = loop.time() + cadence.every_s * pace()
        finally:
            if pending is not None:
                pending.cancel()
                await asyncio.wait({pending})
