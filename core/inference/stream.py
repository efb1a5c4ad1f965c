"""Events on their way from an engine's thread to the event loop of whoever asked."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable

from core.inference.port import Event, Finished

# A consumer that waits: its loop, and the future that wakes it there.
Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]


class Mailbox:
    """Holds one request's events until they are read. Writing never blocks; any thread may write.

    It is complete after `Finished` or an error: what is posted later is dropped.
    """

    def __init__(self) -> None:
        # Reentrant, because the garbage collector may close a stream while its thread is in here.
        self._lock = threading.RLock()
        self._events: deque[Event] = deque()
        self._error: Exception | None = None
        self._complete = False
        self._waiter: Waiter | None = None

    @property
    def complete(self) -> bool:
        """Whether the last event, or an error, was posted."""
        return self._complete

    def post(self, *events: Event) -> Waiter | None:
        """Add events. Returns the consumer to `wake`, if one waits; collect several and wake them together."""
        with self._lock:
            if self._complete:
                return None
            self._events.extend(events)
            self._complete = bool(events) and isinstance(events[-1], Finished)
            return self._take_waiter()

    def fail(self, error: Exception) -> Waiter | None:
        """End with `error`, raised to the consumer after the events before it. Returns the consumer to `wake`."""
        with self._lock:
            if self._complete:
                return None
            self._error = error
            self._complete = True
            return self._take_waiter()

    def read(self) -> Event | None:
        """The next event, or None if there is none yet.

        Raises:
            StopAsyncIteration: after the last event.
            Exception: what `fail` was given, once.
        """
        with self._lock:
            if self._events:
                return self._events.popleft()
            if not self._complete:
                return None
            error, self._error = self._error, None
            raise error or StopAsyncIteration

    async def wait(self) -> None:
        """Return when there may be something to read."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._events or self._complete:
                return
            future: asyncio.Future[None] = loop.create_future()
            self._waiter = (loop, future)
        await future

    def _take_waiter(self) -> Waiter | None:
        waiter, self._waiter = self._waiter, None
        return waiter


class EventStream:
    """The consumer's end. Leaving early (`aclose`, a cancelled task, or dropping it) calls `stop` once.

    `stop` must be safe to call from any thread at any point: it may come from the garbage collector.
    """

    def __init__(self, mailbox: Mailbox, stop: Callable[[], object]) -> None:
        self._mailbox = mailbox
        self._stop: Callable[[], object] | None = stop

    def __aiter__(self) -> "EventStream":
        return self

    async def __anext__(self) -> Event:
        if self._stop is None:
            raise StopAsyncIteration
        try:
            while True:
                event = self._mailbox.read()
                if event is not None:
                    return event
                await self._mailbox.wait()
        except asyncio.CancelledError:
            self._leave()
            raise
        except BaseException:
            self._stop = None
            raise

    async def aclose(self) -> None:
        """Stop the request if it still runs; nothing more is yielded."""
        self._leave()

    def __del__(self) -> None:
        self._leave()

    def _leave(self) -> None:
        stop, self._stop = self._stop, None
        if stop is not None and not self._mailbox.complete:
            stop()


def wake(waiters: Iterable[Waiter | None]) -> None:
    """Wake consumers, with one call into each event loop however many of them wait there."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for waiter in waiters:
        if waiter is not None:
            by_loop.setdefault(waiter[0], []).append(waiter[1])
    for loop, futures in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, futures)
        except RuntimeError:
            # The loop was closed with its consumers; dropping their streams stops the requests.
            continue


def _resolve(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
