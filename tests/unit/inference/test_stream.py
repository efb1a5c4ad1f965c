"""Events cross from a thread to an event loop: in order, whole, and with few wake-ups."""

import asyncio
import threading
from collections.abc import Callable
from contextvars import Context
from typing import TypeVarTuple

import pytest

from core.errors import InferenceError
from core.inference.port import Delta, Event, Finished, Started
from core.inference.stream import EventStream, Mailbox, Waiter, wake
from core.values import FinishReason
from tests.unit.inference.asking import gather

Ts = TypeVarTuple("Ts")
EVENTS: list[Event] = [Started(3), Delta("a"), Delta("b"), Finished(FinishReason.STOP, 2)]


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that knows how often other threads have called in."""

    calls = 0

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        self.calls += 1
        return super().call_soon_threadsafe(callback, *args, context=context)


def never() -> None:
    raise AssertionError("nothing was left early")


def test_events_that_were_there_before_anyone_read() -> None:
    mailbox = Mailbox()
    assert mailbox.post(*EVENTS) is None
    assert asyncio.run(gather(EventStream(mailbox, never))) == EVENTS


def test_events_from_another_thread_in_order() -> None:
    mailbox = Mailbox()

    def write() -> None:
        for event in EVENTS:
            wake([mailbox.post(event)])

    async def run() -> list[Event]:
        reading = asyncio.ensure_future(gather(EventStream(mailbox, never)))
        await asyncio.sleep(0)
        thread = threading.Thread(target=write)
        thread.start()
        events = await reading
        thread.join()
        return events

    assert asyncio.run(run()) == EVENTS


def test_one_call_wakes_all_who_wait_in_a_loop() -> None:
    mailboxes = [Mailbox() for _ in range(30)]
    loop = CountingLoop()

    async def run() -> int:
        reading = [asyncio.ensure_future(gather(EventStream(mailbox, never))) for mailbox in mailboxes]
        await asyncio.sleep(0)
        waiters: list[Waiter | None] = [mailbox.post(*EVENTS) for mailbox in mailboxes]
        before = loop.calls
        wake(waiters)
        calls = loop.calls - before
        assert await asyncio.gather(*reading) == [EVENTS] * 30
        return calls

    try:
        assert loop.run_until_complete(run()) == 1
    finally:
        loop.close()


def test_an_error_comes_after_what_was_before_it_and_once() -> None:
    mailbox = Mailbox()
    mailbox.post(Started(3), Delta("a"))
    mailbox.fail(InferenceError("broken"))

    async def run() -> None:
        stream = EventStream(mailbox, never)
        assert [await anext(stream), await anext(stream)] == [Started(3), Delta("a")]
        with pytest.raises(InferenceError, match="broken"):
            await anext(stream)
        assert await gather(stream) == []
        await stream.aclose()

    asyncio.run(run())


def test_nothing_follows_the_end() -> None:
    mailbox = Mailbox()
    mailbox.post(*EVENTS)
    assert mailbox.complete
    mailbox.post(Delta("late"))
    mailbox.fail(InferenceError("late"))
    assert asyncio.run(gather(EventStream(mailbox, never))) == EVENTS


def test_leaving_stops_once() -> None:
    stopped: list[int] = []

    async def run() -> None:
        stream = EventStream(Mailbox(), lambda: stopped.append(1))
        await stream.aclose()
        await stream.aclose()
        assert await gather(stream) == []

    asyncio.run(run())
    assert stopped == [1]


def test_a_loop_that_is_closed_harms_nobody_else() -> None:
    gone, here = Mailbox(), Mailbox()

    async def wait_for_ever(mailbox: Mailbox) -> None:
        await mailbox.wait()

    loop = asyncio.new_event_loop()
    task = loop.create_task(wait_for_ever(gone))
    loop.run_until_complete(asyncio.sleep(0))
    waiter = gone.post(Delta("a"))
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()

    async def run() -> list[Event]:
        reading = asyncio.ensure_future(gather(EventStream(here, never)))
        await asyncio.sleep(0)
        wake([waiter, here.post(*EVENTS)])
        return await reading

    assert asyncio.run(run()) == EVENTS
