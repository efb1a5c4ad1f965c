"""Eyes and mind: many looks at once, stops, deadlines and the end of the engine."""

import asyncio
import gc

import pytest

from core.errors import DeadlineExceeded, EngineStopped, InferenceError
from core.inference.port import Event, Observation, Request
from core.inference.scripted import Script
from core.values import FinishReason
from tests.processes import until
from tests.unit.inference.asking import end_of, first_delta, gather
from tests.unit.inference.eyes_pair import Make, asked


def test_all_pictures_are_looked_at_at_once_and_a_stop_ends_all_looks(make: Make) -> None:
    pair = make(lambda _: Script("I see", then="hang"))
    pair.eyes.await_requests = 3

    async def run() -> list[Event]:
        stream = pair.engine.submit(asked("Which?", "one", "two", "three"))
        reading = asyncio.create_task(gather(stream))
        await asyncio.to_thread(pair.eyes.heard.wait)
        assert pair.engine.cancel("r1")
        return await reading

    events = asyncio.run(run())

    assert [type(event).__name__ for event in events] == ["Finished"]
    assert end_of(events).reason is FinishReason.CANCELLED
    assert not any(pair.eyes.engine.cancel(request.id) for request in pair.eyes.requests)
    assert pair.mind.requests == []
    assert not pair.engine.cancel("r1")


def test_a_stop_ends_the_mind(make: Make) -> None:
    pair = make(mind=lambda _: Script("one two", then="hang"))

    async def run() -> list[Event]:
        stream = pair.engine.submit(asked("Which?", "a star"))
        await first_delta(stream)
        assert pair.engine.cancel("r1")
        return await gather(stream)

    events = asyncio.run(run())

    assert end_of(events).reason is FinishReason.CANCELLED
    assert end_of(events).completion_tokens == 1


def test_a_stop_before_anything_was_read(make: Make) -> None:
    pair = make()

    async def run() -> list[Event]:
        stream = pair.engine.submit(asked("Which?", "a star"))
        pair.engine.cancel("r1")
        return await gather(stream)

    assert end_of(asyncio.run(run())).reason is FinishReason.CANCELLED
    assert pair.mind.requests == []


def test_a_stop_between_the_looks_and_the_answer(make: Make) -> None:
    pair = make()

    async def run() -> list[Event]:
        stream = pair.engine.submit(asked("Which?", "a star"))
        assert isinstance(await anext(stream), Observation)
        pair.engine.cancel("r1")
        return await gather(stream)

    assert end_of(asyncio.run(run())).reason is FinishReason.CANCELLED
    assert pair.mind.requests == []


@pytest.mark.parametrize("dropped", [False, True])
def test_leaving_stops_the_looks(make: Make, dropped: bool) -> None:
    pair = make(lambda _: Script("I see", then="hang"))

    async def run() -> None:
        stream = pair.engine.submit(asked("Which?", "a star"))
        await asyncio.to_thread(pair.eyes.heard.wait)
        if not dropped:
            await stream.aclose()
        del stream
        gc.collect()
        # The eyes are told at once; they let go within a step.
        await asyncio.to_thread(until, lambda: pair.eyes.engine.stats().running == 0, "it lets go")
        assert not pair.engine.cancel("r1")

    asyncio.run(run())


def test_a_cancelled_reader_stops_the_looks(make: Make) -> None:
    pair = make(lambda _: Script("I see", then="hang"))

    async def run() -> None:
        reading = asyncio.create_task(gather(pair.engine.submit(asked("Which?", "a star"))))
        await asyncio.to_thread(pair.eyes.heard.wait)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.to_thread(until, lambda: pair.eyes.engine.stats().running == 0, "it lets go")

    asyncio.run(run())


def test_the_deadline_is_of_both_together(make: Make) -> None:
    pair = make(lambda _: Script("I see", then="hang"))
    with pytest.raises(DeadlineExceeded):
        pair.collect(asked("Which?", "a star", deadline_s=0.05))
    assert pair.mind.requests == []

    pair = make()
    pair.collect(asked("Which?", "a star", deadline_s=50))
    assert pair.mind.requests[0].deadline_s < 50


def test_an_id_is_in_flight_once(make: Make) -> None:
    pair = make(mind=lambda _: Script("one two", then="hang"))

    async def run() -> None:
        stream = pair.engine.submit(asked("Which?", "a star"))
        await first_delta(stream)
        with pytest.raises(InferenceError, match="already in flight"):
            await gather(pair.engine.submit(asked("Other?")))
        await stream.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("hanging", ["eyes", "mind"])
def test_closing_ends_what_is_in_flight(make: Make, hanging: str) -> None:
    def hang(_: Request) -> Script:
        return Script("I see", then="hang")

    pair = make(hang) if hanging == "eyes" else make(mind=hang)

    async def run() -> None:
        stream = pair.engine.submit(asked("Which?", "a star"))
        reading = asyncio.create_task(gather(stream))
        await asyncio.to_thread((pair.eyes if hanging == "eyes" else pair.mind).heard.wait)
        await asyncio.to_thread(pair.engine.close)
        with pytest.raises(EngineStopped):
            await reading

    asyncio.run(run())
    with pytest.raises(EngineStopped):
        pair.collect(asked("late"))
