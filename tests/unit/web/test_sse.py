"""Streams of events over ASGI: their bytes, their comments in between, and readers who leave."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from starlette.types import Message

from serving.sse import EventStream, encode_data, encode_event

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": []}


class Reader:
    """The other end: collects what is sent, and leaves when told to."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.leaves = asyncio.Event()
        self.heard = asyncio.Event()

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        self.heard.set()

    async def receive(self) -> Message:
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    @property
    def body(self) -> bytes:
        return b"".join(m.get("body", b"") for m in self.sent)


def test_the_bytes_of_an_event() -> None:
    assert (
        encode_event("text", {"text": "a\nb ⭐"}, "1-2")
        == 'id: 1-2\nevent: text\ndata: {"text":"a\\nb ⭐"}\n\n'.encode()
    )
    assert encode_event("reset", {}) == b"event: reset\ndata: {}\n\n"
    assert encode_data({"a": "\ud800"}) == b'data: {"a":"?"}\n\n'


def test_events_come_in_order_and_then_the_end() -> None:
    noted: list[str] = []

    async def events() -> AsyncGenerator[bytes, None]:
        yield b"one"
        noted.append("one was sent")
        yield b"two"
        noted.append("two was sent")

    async def run() -> Reader:
        reader = Reader()
        await EventStream(events())(SCOPE, reader.receive, reader.send)
        return reader

    reader = asyncio.run(run())
    assert [m["type"] for m in reader.sent] == ["http.response.start"] + ["http.response.body"] * 3
    assert [m.get("more_body") for m in reader.sent[1:]] == [True, True, False]
    assert reader.body == b"onetwo"
    assert noted == ["one was sent", "two was sent"]
    assert b"content-length" not in dict(reader.sent[0]["headers"])


def test_silence_is_filled_with_comments() -> None:
    async def run() -> bytes:
        reader = Reader()
        go_on = asyncio.Event()

        async def events() -> AsyncGenerator[bytes, None]:
            await go_on.wait()
            yield b"data: late\n\n"

        stream = EventStream(events(), keep_alive_s=0.001)
        task = asyncio.create_task(stream(SCOPE, reader.receive, reader.send))
        while b":" not in reader.body:
            reader.heard.clear()
            await reader.heard.wait()
        go_on.set()
        await task
        return reader.body

    body = asyncio.run(run())
    assert body.startswith(b": keep-alive\n\n")
    assert body.endswith(b"data: late\n\n")


def test_a_reader_who_leaves_closes_the_events() -> None:
    noted: list[str] = []

    async def run() -> Reader:
        reader = Reader()

        async def events() -> AsyncGenerator[bytes, None]:
            try:
                yield b"one"
                reader.leaves.set()
                await asyncio.Event().wait()
                noted.append("never")
            finally:
                noted.append("closed")

        async def abandoned() -> None:
            noted.append("abandoned")

        await EventStream(events(), on_abandoned=abandoned)(SCOPE, reader.receive, reader.send)
        return reader

    reader = asyncio.run(run())
    assert noted == ["closed", "abandoned"]
    assert reader.body == b"one"


def test_an_error_in_the_events_is_not_hidden() -> None:
    async def events() -> AsyncGenerator[bytes, None]:
        yield b"one"
        raise LookupError("lost")

    async def run() -> None:
        reader = Reader()
        await EventStream(events())(SCOPE, reader.receive, reader.send)

    with pytest.raises(LookupError, match="lost"):
        asyncio.run(run())


def test_a_server_that_closes_does_not_count_as_a_reader_who_left() -> None:
    noted: list[str] = []

    async def run() -> None:
        reader = Reader()

        async def events() -> AsyncGenerator[bytes, None]:
            yield b"one"
            await asyncio.Event().wait()

        async def abandoned() -> None:
            noted.append("abandoned")

        task = asyncio.create_task(EventStream(events(), on_abandoned=abandoned)(SCOPE, reader.receive, reader.send))
        while reader.body != b"one":
            reader.heard.clear()
            await reader.heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert noted == []
