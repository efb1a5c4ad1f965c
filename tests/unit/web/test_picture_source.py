"""The pictures of one request: all of them, or none."""

import asyncio
import base64
from collections.abc import Coroutine
from typing import Any

import pytest

from bots.web.openai_api.fetcher import Fetcher
from bots.web.openai_api.messages import PictureRef
from bots.web.openai_api.pictures import AT_ONCE, PictureSource
from core.conversation.inbound import Named, Refused
from core.errors import PictureReaderUnavailable, WrongParameter
from core.media.safe_picture import SafePicture
from core.settings import Settings
from serving.picture_reader import PictureReader, Read

SETTINGS = Settings(_env_file=None)


def refs(count: int) -> list[PictureRef]:
    urls = [f"data:image/png;base64,{base64.b64encode(b'%d' % n).decode()}" for n in range(1, count + 1)]
    return [PictureRef(n, f"messages[{n}]", url) for n, url in enumerate(urls, 1)]


class Reading(PictureReader):
    """Reads nothing by itself: the test says what comes of each picture, by name."""

    def __init__(self) -> None:
        super().__init__(SETTINGS)
        self.begun: list[str] = []
        self._more = asyncio.Queue[None]()
        self.cancelled: list[str] = []
        self.results: dict[str, asyncio.Future[Read]] = {}

    async def read(self, person: str, name: str, data: bytes) -> Read:
        self.begun.append(name)
        self._more.put_nowait(None)
        try:
            return await self.result(name)
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise

    def result(self, name: str) -> "asyncio.Future[Read]":
        return self.results.setdefault(name, asyncio.get_running_loop().create_future())

    def good(self, number: int) -> None:
        name = f"picture {number}"
        self.result(name).set_result(([Named(name, SafePicture.of(b"%d" % number, "image/png", 1, 1))], []))

    async def until_begun(self, count: int) -> None:
        while len(self.begun) < count:
            await self._more.get()


def run(play: Coroutine[Any, Any, None]) -> None:
    asyncio.run(play)


def source(reading: Reading) -> PictureSource:
    return PictureSource(SETTINGS, reading, Fetcher(SETTINGS))


def test_pictures_come_back_by_their_number() -> None:
    async def play() -> None:
        reading = Reading()
        for number in (3, 1, 2):
            reading.good(number)
        named = await source(reading).read(refs(3), "ann")
        assert {number: picture.name for number, (picture,) in named.items()} == {
            1: "picture 1",
            2: "picture 2",
            3: "picture 3",
        }

    run(play())


def test_a_refusal_stops_the_rest() -> None:
    async def play() -> None:
        reading = Reading()
        asking = asyncio.create_task(source(reading).read(refs(50), "ann"))
        await reading.until_begun(AT_ONCE)
        reading.result("picture 2").set_result(([], [Refused("picture 2", "x", "It is broken.")]))
        with pytest.raises(WrongParameter, match=r"^Picture 2 \(messages\[2\]\): It is broken\.$") as refused:
            await asking
        assert refused.value.parameter == "messages[2]"
        assert len(reading.begun) <= AT_ONCE + 1
        assert sorted(reading.cancelled) == sorted(set(reading.begun) - {"picture 2"})

    run(play())


def test_a_fault_of_ours_stops_the_rest_too() -> None:
    async def play() -> None:
        reading = Reading()
        asking = asyncio.create_task(source(reading).read(refs(2), "ann"))
        await reading.until_begun(2)
        reading.result("picture 1").set_exception(PictureReaderUnavailable())
        with pytest.raises(PictureReaderUnavailable):
            await asking
        assert reading.cancelled == ["picture 2"]

    run(play())


def test_who_is_cancelled_waits_for_no_picture() -> None:
    async def play() -> None:
        reading = Reading()
        asking = asyncio.create_task(source(reading).read(refs(2), "ann"))
        await reading.until_begun(2)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert sorted(reading.cancelled) == ["picture 1", "picture 2"]

    run(play())


def test_all_requests_of_one_person_share_what_one_may_have_under_way() -> None:
    async def play() -> None:
        reading = Reading()
        made = source(reading)
        hers = [asyncio.create_task(made.read(refs(AT_ONCE), "ann")) for _ in range(2)]
        await reading.until_begun(AT_ONCE)
        his = asyncio.create_task(made.read([PictureRef(99, "messages[99]", "data:;base64,AAAA")], "bob"))
        await reading.until_begun(AT_ONCE + 1)
        # His came after eight of hers.
        assert reading.begun[AT_ONCE] == "picture 99"
        for number in (*range(1, AT_ONCE + 1), 99):
            reading.good(number)
        await asyncio.gather(*hers, his)
        assert len(reading.begun) == 2 * AT_ONCE + 1

    run(play())
