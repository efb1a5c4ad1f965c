"""An application of ours behind a real uvicorn, in a thread of the test's own process."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

import uvicorn

T = TypeVar("T")


@contextmanager
def serving_app(opening: Callable[[], AbstractAsyncContextManager[tuple[Any, T]]]) -> Iterator[tuple[str, T]]:
    """Serve the application that `opening` yields (beside whatever else) on a port that the system chose.

    Yields its address without a slash at the end, and what came beside it; it ends with the block.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    up: threading.Event = threading.Event()
    made: list[T] = []
    failed: list[BaseException] = []
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        async with opening() as (app, beside):
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=3))
            servers.append(server)
            made.append(beside)
            up.set()
            await server.serve(sockets=[listener])

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            failed.append(error)
        finally:
            up.set()

    thread = threading.Thread(target=run, name="served")
    thread.start()
    up.wait()
    try:
        if failed:
            raise failed[0]
        yield url, made[0]
    finally:
        for server in servers:
            server.should_exit = True
        thread.join()
        listener.close()
    if failed:
        raise failed[0]
