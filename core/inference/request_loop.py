"""Requests as tasks of one event loop, for engines that wait more than they compute."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from core.errors import DeadlineExceeded, EngineStopped, GlimtError, InferenceError
from core.inference.port import Event, Events, Finished, Request
from core.inference.stream import EventStream, Mailbox, wake
from core.values import FinishReason

T = TypeVar("T")


class RequestRun:
    """One request in flight. Everything but `mailbox` belongs to the loop's thread.

    `tokens` is the number of tokens so far, `began` the time of submission on the monotonic clock in seconds.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.mailbox = Mailbox()
        self.tokens = 0
        self.began = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    def post(self, *events: Event) -> None:
        """Hand events to whoever asked."""
        wake([self.mailbox.post(*events)])

    def fail(self, error: GlimtError) -> None:
        """End with `error`."""
        wake([self.mailbox.fail(error)])

    def finished(self, reason: FinishReason) -> Finished:
        """The end as it is now."""
        return Finished(reason, self.tokens, time.monotonic() - self.began)

    def start(self, task: asyncio.Task[None]) -> None:
        """It runs as `task`."""
        self._task = task

    def stop(self) -> None:
        """End it as cancelled."""
        if self._task is not None:
            self._task.cancel()


class RequestLoop:
    """Runs requests in an event loop that has a thread of its own. The methods are thread-safe, as the port wants.

    `play` computes one request: it posts the events, `Finished` last, or raises. It is cancelled when somebody stops
    the request or when its deadline passes; the end is then posted here.
    """

    def __init__(self, play: Callable[[RequestRun], Awaitable[None]], name: str) -> None:
        self._play = play
        self._runs: dict[str, RequestRun] = {}
        self._closed = False
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    @property
    def running(self) -> int:
        """How many requests have not ended."""
        return len(self._runs)

    def submit(self, request: Request) -> Events:
        """As `Engine.submit`."""
        run = RequestRun(request)
        with self._lock:
            if self._closed:
                run.fail(EngineStopped("the engine is closed"))
            elif (other := self._runs.get(request.id)) is not None and not other.mailbox.complete:
                run.fail(InferenceError(f"a request with the id {request.id!r} is already in flight"))
            else:
                self._runs[request.id] = run
                self._call(self._start, run)
        return EventStream(run.mailbox, lambda: self._call(run.stop))

    def cancel(self, request_id: str) -> bool:
        """As `Engine.cancel`."""
        run = self._runs.get(request_id)
        if run is None or run.mailbox.complete:
            return False
        self._call(run.stop)
        return True

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` in the loop and block until it ends. Never call it from the loop's own thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self, last: Callable[[], Awaitable[object]] | None = None) -> None:
        """As `Engine.close`; `last` runs in the loop when nothing else does any more."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        for run in list(self._runs.values()):
            run.fail(EngineStopped("the engine was closed"))
        self.wait_for(_cancel_tasks(last))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, function: Callable[..., object], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:
            return  # Closed in the meantime; `close` has ended every request.

    def _start(self, run: RequestRun) -> None:
        task = self._loop.create_task(self._run(run))
        run.start(task)
        task.add_done_callback(lambda task: self._end(run, task.cancelled()))

    def _end(self, run: RequestRun, cancelled: bool) -> None:
        # Here and not in the task: a task that is cancelled before its first step runs none of its code.
        if cancelled:
            run.post(run.finished(FinishReason.CANCELLED))
        with self._lock:
            # The id may be another's by now: it is free as soon as its last event was posted.
            if self._runs.get(run.request.id) is run:
                del self._runs[run.request.id]

    async def _run(self, run: RequestRun) -> None:
        try:
            async with asyncio.timeout(run.request.deadline_s):
                await self._play(run)
        except TimeoutError:
            run.fail(DeadlineExceeded(f"no end after {run.request.deadline_s} s"))
        except GlimtError as error:
            run.fail(error)
        except Exception as error:
            run.fail(InferenceError(f"{type(error).__name__}: {error}"))


async def _cancel_tasks(last: Callable[[], Awaitable[object]] | None) -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if last is not None:
        await last()
