"""A fake's event loop, in a thread of its own, and its servers on loopback."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")


class Loopback:
    """`start` it, `serve` with it, `stop` it, in this order, from any thread."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)

    def start(self) -> None:
        """The loop runs."""
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout: float = 10) -> T:
        """What the loop makes of `work`."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def stop(self) -> None:
        """The loop ends."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


async def serve(app: web.Application, port: int = 0) -> tuple[web.AppRunner, int]:
    """A server of `app` on 127.0.0.1.

    Returns: its runner, whose `cleanup` ends it, and its port.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    return runner, int(runner.addresses[0][1])
