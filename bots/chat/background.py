"""Work that goes on behind an acknowledgement."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Background:
    """Tasks of one adapter. What they were at is in SQL, so that cutting them off loses nothing."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._named: dict[str, asyncio.Task[None]] = {}

    def start(self, work: Coroutine[Any, Any, None], name: str = "") -> None:
        """Begin; of those with the same `name` only one runs at a time, and a second one is dropped."""
        if name and (running := self._named.get(name)) is not None and not running.done():
            work.close()
            return
        task = asyncio.create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if name:
            self._named[name] = task
            task.add_done_callback(lambda done: self._forget(name, done))

    async def close(self) -> None:
        """Cut off what runs, and wait until it has noticed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            # Nobody else would hear of it.
            log.exception("chat_background_error")

    def _forget(self, name: str, done: asyncio.Task[None]) -> None:
        if self._named.get(name) is done:
            del self._named[name]
