"""Work that ends with its client."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from core.errors import Busy
from serving.client import unless_gone


class Client:
    """What a server tells of one client, which leaves when the test says so."""

    def __init__(self) -> None:
        self.leaving = asyncio.Event()

    async def receive(self) -> Message:
        await self.leaving.wait()
        return {"type": "http.disconnect"}


def test_the_result_or_the_error_of_the_work() -> None:
    async def works() -> int:
        return 7

    async def fails() -> int:
        raise Busy

    async def run() -> None:
        assert await unless_gone(Client().receive, works()) == 7
        with pytest.raises(Busy):
            await unless_gone(Client().receive, fails())

    asyncio.run(run())


@pytest.mark.parametrize("how", ["the client leaves", "the server stops"])
def test_work_for_nobody_is_cancelled(how: str) -> None:
    async def run() -> None:
        client, began, cancelled = Client(), asyncio.Event(), asyncio.Event()

        async def works() -> None:
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        task = asyncio.create_task(unless_gone(client.receive, works()))
        await began.wait()
        if how == "the client leaves":
            client.leaving.set()
            with pytest.raises(ClientDisconnect):
                await task
        else:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert cancelled.is_set()

    asyncio.run(run())


def test_what_came_of_it_counts_if_the_client_leaves_at_the_same_moment() -> None:
    async def run() -> None:
        client = Client()
        client.leaving.set()

        async def works() -> int:
            return 7

        assert await unless_gone(client.receive, works()) == 7

    asyncio.run(run())
