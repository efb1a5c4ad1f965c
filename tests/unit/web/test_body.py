"""Reading bodies: what needs no server to be seen."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message

from core.errors import Busy, RequestTooLarge, RequestTooSlow
from core.settings import Settings
from serving.bodies import JSON_COPIES, LARGEST_AT_ONCE, Bodies

SCOPE = {"type": "http", "method": "POST", "path": "/", "headers": []}


async def silent() -> Message:
    """A client that has stopped sending."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


def test_a_sender_that_falls_silent() -> None:
    bodies = Bodies(Settings(_env_file=None), silence_s=0.01)

    async def read() -> None:
        with bodies.admit(Request(SCOPE, silent), 100) as admitted:
            await admitted.body()

    with pytest.raises(RequestTooSlow):
        asyncio.run(read())


@pytest.mark.parametrize("sizes", [[101], [100, 1], [50, 50, 1]])
def test_the_limit_holds_for_all_parts_together_and_the_room_is_given_back(sizes: list[int]) -> None:
    bodies = Bodies(Settings(_env_file=None))
    parts = [{"type": "http.request", "body": b"x" * size, "more_body": True} for size in sizes]

    async def receive() -> Message:
        return parts.pop(0)

    async def read() -> None:
        with bodies.admit(Request(SCOPE, receive), 100) as admitted:
            await admitted.body()

    with pytest.raises(RequestTooLarge):
        asyncio.run(read())
    assert parts == []
    assert bodies.held_bytes == 0


def test_exactly_the_limit_is_taken_and_counts_while_it_is_worked_on() -> None:
    bodies = Bodies(Settings(_env_file=None))

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 100, "more_body": False}

    async def read() -> int:
        with bodies.admit(Request(SCOPE, receive), 100) as admitted:
            assert len(await admitted.body()) == 100
            return bodies.held_bytes

    assert asyncio.run(read()) == 100
    assert bodies.held_bytes == 0


def test_copies_count_as_well_and_what_finds_no_room_has_to_wait() -> None:
    settings = Settings(_env_file=None, picture_max_bytes=1, pictures_per_turn=1)
    bodies = Bodies(settings)
    size = LARGEST_AT_ONCE * bodies.json_limit // JSON_COPIES // 2 + 1

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * size, "more_body": False}

    async def read() -> None:
        with bodies.admit(Request(SCOPE, receive), size, copies=JSON_COPIES) as first:
            await first.body()
            assert bodies.held_bytes == JSON_COPIES * size
            with bodies.admit(Request(SCOPE, receive), size, copies=JSON_COPIES) as second:
                with pytest.raises(Busy, match="try again"):
                    await second.body()
            assert bodies.held_bytes == JSON_COPIES * size

    asyncio.run(read())
    assert bodies.held_bytes == 0
