"""Readers while the database is slow or away: text does not wait for it, and its late word is not taken for news."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from core.errors import StoreError
from core.queue.events import Ended, FollowEvent, Reset, Text, Waiting
from core.queue.follow import StreamHub
from core.store.database import Repositories, Store
from tests.integration.queue.stage import Stage, ended, text_of, written
from tests.processes import PATIENCE_S


class HeldStore(Store):
    """A database whose answers reach the hub only when the test lets them."""

    def __init__(self, sql_url: str) -> None:
        super().__init__(sql_url)
        self._free = threading.Event()
        self._free.set()
        self._asked = threading.Event()
        self._away = False

    @contextmanager
    def read(self) -> Iterator[Repositories]:
        """As a store does; while the test holds it, the block does not end, or breaks."""
        with super().read() as repositories:
            yield repositories
        self._asked.set()
        assert self._free.wait(PATIENCE_S)
        if self._away:
            raise StoreError("away")

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """The block begins when the hub has asked; until its end the answer does not reach it."""
        self._free.clear()
        try:
            await self._until_asked()
            yield
        finally:
            self._free.set()

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """The block begins when the hub has asked in vain."""
        self._away = True
        await self._until_asked()
        await self._until_asked()
        yield
        self._away = False

    async def _until_asked(self) -> None:
        self._asked.clear()
        assert await asyncio.to_thread(self._asked.wait, PATIENCE_S)


@pytest.fixture
def slow(sqlite_url: str) -> Iterator[HeldStore]:
    """What the hub asks; the test itself works on a store of its own."""
    opened = HeldStore(sqlite_url)
    yield opened
    opened.close()


@asynccontextmanager
async def _hub(stage: Stage, slow: HeldStore) -> AsyncIterator[StreamHub]:
    async with Stage(slow, stage.redis, stage.url).hub() as hub:
        yield hub


async def _all(stage: Stage, hub: StreamHub, turn_id: str) -> list[FollowEvent]:
    async with stage.reader(hub, turn_id) as reader:
        return await reader.rest()


def test_text_arrives_while_the_database_does_not_answer(stage: Stage, slow: HeldStore) -> None:
    async def scene() -> None:
        turn_id, writer = stage.running()
        async with _hub(stage, slow) as hub:
            async with stage.reader(hub, stage.ready()) as waiting, stage.reader(hub, turn_id) as live:
                place = asyncio.create_task(waiting.next())
                async with slow.held():
                    written(writer, "one ", "two ")
                    seen = [await live.next() for _ in range(3)]
                    written(writer, "three")
                    seen.append(await live.next())
                    assert not place.done()
                assert [type(event) for event in seen] == [Reset, Text, Text, Text]
                assert text_of(seen) == "one two three"
                assert isinstance(await place, Waiting)

    asyncio.run(scene())


def test_an_end_that_comes_while_sql_is_asked_makes_it_asked_again(stage: Stage, slow: HeldStore) -> None:
    """The answer that is held says running."""

    async def scene() -> list[FollowEvent]:
        turn_id, writer = stage.running()
        async with _hub(stage, slow) as hub, stage.reader(hub, turn_id) as reader:
            first = asyncio.create_task(reader.next())
            async with slow.held():
                written(writer, "all of it")
                stage.end(turn_id, "all of it", writer)
                seen = [await first, await reader.next()]
            return seen + await reader.rest()

    events = asyncio.run(scene())

    assert [type(event) for event in events] == [Reset, Text, Ended]
    assert ended(events).answer == "all of it"


def test_a_place_in_the_queue_is_not_told_when_the_answer_has_begun_meanwhile(stage: Stage, slow: HeldStore) -> None:
    async def scene() -> list[FollowEvent]:
        turn_id = stage.ready()
        async with _hub(stage, slow) as hub, stage.reader(hub, turn_id) as reader:
            first = asyncio.create_task(reader.next())
            async with slow.held():
                writer = stage.claim(turn_id)
                written(writer, "begun")
                seen = [await first, await reader.next()]
            stage.end(turn_id, "begun", writer)
            return seen + await reader.rest()

    assert [type(event) for event in asyncio.run(scene())] == [Reset, Text, Ended]


def test_who_comes_while_sql_is_asked_gets_the_text_before_the_end(stage: Stage, slow: HeldStore) -> None:
    """The answer that is held says final, but this reader has not seen the stream yet."""

    async def scene() -> list[list[FollowEvent]]:
        turn_id, writer = stage.running()
        written(writer, "all of it")
        stage.end(turn_id, "all of it", writer)
        async with _hub(stage, slow) as hub:
            first = asyncio.create_task(_all(stage, hub, turn_id))
            async with stage.reader(hub, turn_id) as late:
                async with slow.held():
                    seen = [await late.next()]
                return [await first, seen + await late.rest()]

    for events in asyncio.run(scene()):
        assert text_of(events) == ended(events).answer == "all of it"


def test_readers_outlive_a_database_that_is_away(stage: Stage, slow: HeldStore) -> None:
    async def scene() -> list[FollowEvent]:
        turn_id, writer = stage.running()
        async with _hub(stage, slow) as hub:
            reading = asyncio.create_task(_all(stage, hub, turn_id))
            async with slow.away():
                written(writer, "all of it")
                stage.end(turn_id, "all of it", writer)
            return await reading

    events = asyncio.run(scene())

    assert text_of(events) == ended(events).answer == "all of it"
