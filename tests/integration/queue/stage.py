"""A store, a Redis and readers: the test plays the worker and sees what a reader is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from redis import Redis

from core.queue.connect import connect_async
from core.queue.events import Ended, FollowEvent, Text
from core.queue.follow import FIRST, StreamHub
from core.queue.streams import TurnWriter
from core.store.database import Store
from core.store.models import Turn
from core.store.outcome import Outcome
from core.values import Platform, TurnState, new_id, utc_now
from tests.processes import PATIENCE_S

EndState = Literal[TurnState.ANSWERED, TurnState.FAILED, TurnState.CANCELLED]
TTL_S = 600
OWNER = "worker"


@dataclass
class Stage:
    """Short words for what a worker and its readers do."""

    store: Store
    redis: Redis
    url: str

    def ready(self, question: str = "q", *, person: str = "ann", thread: str = "") -> str:
        """A turn that waits; its id."""
        with self.store.write() as repositories:
            workspace = repositories.people.workspace(Platform.WEB, "local")
            asker = repositories.people.person(workspace.id, person)
            conversation = repositories.conversations.get_or_create(workspace.id, thread or new_id(), asker.id)
            return repositories.turns.add(conversation.id, asker.id, question, now=utc_now()).id

    def claim(self, turn_id: str) -> TurnWriter:
        """Take a waiting turn as a worker does; the writer of the new attempt, whose reset is not sent yet."""
        now = utc_now()
        with self.store.write() as repositories:
            turn = repositories.turns.claim(turn_id, OWNER, now, now + timedelta(hours=1))
        assert turn is not None
        return TurnWriter(self.redis, turn_id, turn.attempt, TTL_S)

    def running(self) -> tuple[str, TurnWriter]:
        """A turn that is being answered, and its writer."""
        turn_id = self.ready()
        return turn_id, self.claim(turn_id)

    def give_back(self, turn_id: str) -> None:
        """The worker lets go of the turn."""
        with self.store.write() as repositories:
            assert repositories.turns.give_back(turn_id, OWNER, self.turn(turn_id).attempt, utc_now()) is not None

    def finish(self, turn_id: str, answer: str, state: EndState = TurnState.ANSWERED) -> None:
        """Commit the end of a running turn, telling nobody."""
        attempt = self.turn(turn_id).attempt
        with self.store.write() as repositories:
            repositories.turns.finish(turn_id, OWNER, attempt, Outcome(state=state, answer=answer), utc_now())

    def end(self, turn_id: str, answer: str, writer: TurnWriter, state: EndState = TurnState.ANSWERED) -> None:
        """Commit the end of a running turn and tell its readers, as a worker does."""
        self.finish(turn_id, answer, state)
        writer.end()
        writer.flush()

    def turn(self, turn_id: str) -> Turn:
        """The row as it is now."""
        with self.store.read() as repositories:
            turn = repositories.turns.get(turn_id)
        assert turn is not None
        return turn

    def follow(self, turn_id: str, after: str = FIRST) -> list[FollowEvent]:
        """Everything that one reader is told from `after` to the end."""

        async def read() -> list[FollowEvent]:
            async with self.hub() as hub, self.reader(hub, turn_id, after) as reader:
                return await reader.rest()

        return asyncio.run(read())

    @asynccontextmanager
    async def hub(self, url: str = "") -> AsyncIterator[StreamHub]:
        """A hub as a bots process has it."""
        client = connect_async(url or self.url)
        try:
            async with StreamHub(client, self.store) as hub:
                yield hub
        finally:
            await client.aclose()

    @asynccontextmanager
    async def reader(self, hub: StreamHub, turn_id: str, after: str = FIRST) -> AsyncIterator["Reader"]:
        """One reader of a turn; it goes away at the end of the block."""
        async with aclosing(hub.follow(turn_id, after)) as events:
            yield Reader(events)


@dataclass
class Reader:
    """Takes one event after the other, so that a test can act in between."""

    events: AsyncIterator[FollowEvent]

    async def next(self) -> FollowEvent:
        """The next event, as soon as it comes."""
        async with asyncio.timeout(PATIENCE_S):
            return await anext(self.events)

    async def rest(self) -> list[FollowEvent]:
        """All events to the end."""
        async with asyncio.timeout(PATIENCE_S):
            return [event async for event in self.events]


def written(writer: TurnWriter, *texts: str) -> None:
    """Send each text as an entry of its own."""
    for text in texts:
        writer.text(text)
        writer.flush()


def text_of(events: list[FollowEvent]) -> str:
    """The text that a reader shows, had it begun with these events."""
    return "".join(event.text for event in events if isinstance(event, Text) and event.kind == "text")


def ended(events: list[FollowEvent]) -> Turn:
    """The row that the last event brought; there is no other end."""
    assert [isinstance(event, Ended) for event in events].count(True) == 1
    last = events[-1]
    assert isinstance(last, Ended)
    return last.turn
