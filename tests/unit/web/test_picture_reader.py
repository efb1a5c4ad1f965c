"""Reading uploads, and remembering what was read."""

import asyncio
from collections.abc import Iterator

import pytest

from bots.web.picture_reader import PictureReader
from core.settings import Settings
from tests.integration.web.site import picture


@pytest.fixture
def reader() -> Iterator[PictureReader]:
    made = PictureReader(Settings(_env_file=None))
    yield made
    made.close()


def test_the_same_file_is_read_once(reader: PictureReader) -> None:
    async def run() -> None:
        (first,), _ = await reader.read("a.png", picture("red"))
        (again,), refused = await reader.read("a.png", picture("red"))
        (other,), _ = await reader.read("b.png", picture("red"))
        (blue,), _ = await reader.read("a.png", picture("blue"))
        assert again is first
        assert refused == []
        assert (other.name, other.picture.key) == ("b.png", first.picture.key)
        assert blue.picture.key != first.picture.key

    asyncio.run(run())


def test_what_is_refused_is_not_remembered_as_read(reader: PictureReader) -> None:
    async def run() -> None:
        for _ in range(2):
            named, (refused,) = await reader.read("a.txt", b"hello")
            assert named == []
            assert (refused.name, refused.code) == ("a.txt", "picture_format")

    asyncio.run(run())


def test_it_forgets_the_oldest() -> None:
    async def run(reader: PictureReader) -> None:
        (first,), _ = await reader.read("a.png", picture("red"))
        await reader.read("b.png", picture("blue"))
        await reader.read("c.png", picture("green"))
        (again,), _ = await reader.read("a.png", picture("red"))
        assert again is not first
        assert again == first

    size = len(picture("red")) * 2
    reader = PictureReader(Settings(_env_file=None), kept_bytes=size)
    asyncio.run(run(reader))
    reader.close()
