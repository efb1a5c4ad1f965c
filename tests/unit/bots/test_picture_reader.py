"""Reading uploads fairly, and remembering what was read."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from core.conversation.inbound import Refused
from core.media.limits import PictureLimits
from core.settings import Settings
from serving.picture_reader import THREADS, PictureReader, Read
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S


@pytest.fixture
def reader() -> Iterator[PictureReader]:
    made = PictureReader(Settings(_env_file=None))
    yield made
    made.close()


def test_the_same_file_is_read_once(reader: PictureReader) -> None:
    async def run() -> None:
        (first,), _ = await reader.read("ann", "a.png", picture("red"))
        (again,), refused = await reader.read("ann", "a.png", picture("red"))
        (other,), _ = await reader.read("ann", "b.png", picture("red"))
        (blue,), _ = await reader.read("ann", "a.png", picture("blue"))
        assert again is first
        assert refused == []
        assert (other.name, other.picture.key) == ("b.png", first.picture.key)
        assert blue.picture.key != first.picture.key

    asyncio.run(run())


def test_what_is_refused_is_not_remembered_as_read(reader: PictureReader) -> None:
    async def run() -> None:
        for _ in range(2):
            named, (refused,) = await reader.read("ann", "a.txt", b"hello")
            assert named == []
            assert (refused.name, refused.code) == ("a.txt", "picture_format")

    asyncio.run(run())


def test_it_forgets_the_oldest() -> None:
    async def run(reader: PictureReader) -> None:
        (first,), _ = await reader.read("ann", "a.png", picture("red"))
        await reader.read("ann", "b.png", picture("blue"))
        await reader.read("ann", "c.png", picture("green"))
        (again,), _ = await reader.read("ann", "a.png", picture("red"))
        assert again is not first
        assert again == first

    size = len(picture("red")) * 2
    reader = PictureReader(Settings(_env_file=None), kept_bytes=size)
    asyncio.run(run(reader))
    reader.close()


class Slow:
    """Reads a file when the test lets it, by the file's name."""

    def __init__(self) -> None:
        self.began: dict[str, threading.Event] = {}
        self.go_on: dict[str, threading.Event] = {}
        for name in "abcdefgh":
            self.began[name], self.go_on[name] = threading.Event(), threading.Event()

    def read(self, name: str, data: bytes, limits: PictureLimits) -> Read:
        self.began[name].set()
        assert self.go_on[name].wait(PATIENCE_S)
        return [], [Refused(name, "read", "Read.")]

    async def begins(self, name: str) -> None:
        assert await asyncio.to_thread(self.began[name].wait, PATIENCE_S)


@asynccontextmanager
async def slow_reader() -> AsyncIterator[tuple[Slow, PictureReader]]:
    slow = Slow()
    reader = PictureReader(Settings(_env_file=None), read=slow.read)
    try:
        yield slow, reader
    finally:
        for event in slow.go_on.values():
            event.set()
        await asyncio.to_thread(reader.close)


def test_one_persons_files_are_read_one_by_one_and_keep_nobody_waiting() -> None:
    async def run() -> None:
        async with slow_reader() as (slow, reader):
            hers = [asyncio.create_task(reader.read("ann", name, name.encode())) for name in "abcdef"]
            await slow.begins("a")
            # Her others came first, and there is a thread for his all the same.
            his = asyncio.create_task(reader.read("bob", "g", b"g"))
            await slow.begins("g")
            slow.go_on["g"].set()
            assert (await his)[1][0].name == "g"
            assert not any(slow.began[name].is_set() for name in "bcdef")
            for name in "abcdef":
                await slow.begins(name)
                slow.go_on[name].set()
            assert [refused.name for _, (refused,) in await asyncio.gather(*hers)] == list("abcdef")

    asyncio.run(run())


def test_a_file_that_nobody_waits_for_any_more_is_not_read() -> None:
    async def run() -> None:
        async with slow_reader() as (slow, reader):
            busy = [asyncio.create_task(reader.read(f"person {n}", "abcd"[n], b"x%d" % n)) for n in range(THREADS)]
            for n in range(THREADS):
                await slow.begins("abcd"[n])
            # One digest after the other, so that a later call of this executor tells that those before are made.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
            in_line = asyncio.create_task(reader.read("eve", "e", b"e"))
            behind_a = asyncio.create_task(reader.read("person 0", "f", b"f"))
            last = asyncio.create_task(reader.read("eve", "g", b"g"))
            await asyncio.to_thread(lambda: None)
            for task in (in_line, behind_a):
                task.cancel()
            await asyncio.wait([in_line, behind_a])
            for name in "abcdg":
                slow.go_on[name].set()
            await asyncio.gather(*busy)
            await last
            assert slow.began["g"].is_set()
            assert not slow.began["e"].is_set()
            assert not slow.began["f"].is_set()

    asyncio.run(run())


def test_a_file_that_is_being_read_keeps_its_share_though_its_client_left() -> None:
    async def run() -> None:
        async with slow_reader() as (slow, reader):
            left = asyncio.create_task(reader.read("ann", "a", b"a"))
            await slow.begins("a")
            left.cancel()
            await asyncio.wait([left])
            hers = asyncio.create_task(reader.read("ann", "b", b"b"))
            his = asyncio.create_task(reader.read("bob", "c", b"c"))
            await slow.begins("c")
            assert not slow.began["b"].is_set()
            slow.go_on["a"].set()
            await slow.begins("b")
            slow.go_on["b"].set()
            slow.go_on["c"].set()
            await asyncio.gather(hers, his)

    asyncio.run(run())
