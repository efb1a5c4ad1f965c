"""An application of ours behind a real uvicorn, in a thread of the test's own process."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from typing import Any, TypeVar

import uvicorn

from tests.serving import in_a_thread

T = TypeVar("T")


@contextmanager
def serving_app(opening: Callable[[], AbstractAsyncContextManager[tuple[Any, T]]]) -> Iterator[tuple[str, T]]:
    """Serve the application that `opening` yields (beside whatever else) on a port that the system chose.

    Yields its address without a slash at the end, and what came beside it; it ends with the block.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    @asynccontextmanager
    async def served() -> AsyncIterator[T]:
        async with opening() as (app, beside):
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=3))
            task = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                yield beside
            finally:
                server.should_exit = True
                await task

    # Not open for longer than the server: what is left of it would be a warning.
    with closing(listener), in_a_thread(served, "served") as (beside, _):
        yield url, beside
