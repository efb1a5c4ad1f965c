"""Something asynchronous that runs beside a test, in a thread with a loop of its own."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

Made = TypeVar("Made")


@contextmanager
def in_a_thread(
    open_it: Callable[[], AbstractAsyncContextManager[Made]], name: str
) -> Iterator[tuple[Made, asyncio.AbstractEventLoop]]:
    """What `open_it` makes, opened in the thread, and the thread's loop; it is closed in good order with the block.

    Raises: what opening raises; after the block, what closing raises.
    """
    made: list[tuple[Made, asyncio.AbstractEventLoop, asyncio.Event]] = []
    failed: list[BaseException] = []
    up = threading.Event()

    async def serve() -> None:
        stop = asyncio.Event()
        async with open_it() as opened:
            made.append((opened, asyncio.get_running_loop(), stop))
            up.set()
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            failed.append(error)
        finally:
            up.set()

    thread = threading.Thread(target=run, name=name)
    thread.start()
    up.wait()
    try:
        if failed:
            raise failed[0]
        yield made[0][:2]
    finally:
        if made and not failed:
            made[0][1].call_soon_threadsafe(made[0][2].set)
        thread.join()
    if failed:
        raise failed[0]
