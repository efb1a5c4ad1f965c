"""What the engine promises around the model: ends, failures, cancelling, closing, many callers."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from core.conversation.boxes import Box
from core.errors import DeadlineExceeded, EngineStopped, InferenceError, OutOfMemory, PromptTooLong
from core.inference.engine import TransformersEngine
from core.inference.port import Delta, Engine, Event, Events, Message, Picture, Request, Sampling, Started
from core.inference.stepper import Sequence
from core.values import FinishReason
from tests.integration.inference.conftest import EngineOf, noise
from tests.integration.inference.steppers import PlayedStepper
from tests.unit.inference.asking import asked, collect, end_of, first_delta, gather, said
from tests.unit.inference.test_neutralise import TOKENIZERS

BROKEN = Picture("0" * 64, b"\x89PNG\r\n\x1a\nnothing", 8, 8)


@pytest.fixture
def engine(engine_of: EngineOf) -> TransformersEngine:
    return engine_of("glm4v")


@contextmanager
def played(
    engine: TransformersEngine, play: Callable[[Sequence, int], int | InferenceError], context_tokens: int = 2048
) -> Iterator[tuple[TransformersEngine, PlayedStepper]]:
    """An engine with the real model's prompts and words, but whose tokens are `play`ed."""
    stepper = PlayedStepper(play)
    made = TransformersEngine(replace(engine._loaded, context_tokens=context_tokens), stepper)
    try:
        yield made, stepper
    finally:
        made.close()


def token(engine: TransformersEngine, text: str) -> int:
    """The id of a text that is one token."""
    (id,) = engine._loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert isinstance(id, int)
    return id


def always(engine: TransformersEngine, text: str = "a") -> Callable[[Sequence, int], int]:
    id = token(engine, text)
    return lambda _sequence, _number: id


def writing(engine: TransformersEngine, text: str) -> Callable[[Sequence, int], int]:
    """Plays `text` and the model's end, letter by letter."""
    end = engine._loaded.tokenizer.eos_token_id
    ids = [token(engine, letter) if letter.isascii() else None for letter in text]
    known = [id for id in ids if id is not None]
    return lambda _sequence, number: known[number] if number < len(known) else end


def test_it_is_the_port(engine: TransformersEngine) -> None:
    assert isinstance(engine, Engine)
    assert engine.model_name == "glm4v"
    assert engine.context_tokens == 2048


def test_the_models_own_end(engine: TransformersEngine) -> None:
    with played(engine, writing(engine, "one two")) as (made, stepper):
        events = collect(made, asked("What?"))
        assert said(events) == "one two"
        assert (end_of(events).reason, end_of(events).completion_tokens) == (FinishReason.STOP, 8)
        assert isinstance(events[0], Started)
        assert stepper.emptied.wait(30)


def test_the_token_limit(engine: TransformersEngine) -> None:
    with played(engine, always(engine)) as (made, stepper):
        events = collect(made, asked("What?", sampling=Sampling(max_new_tokens=5)))
        assert said(events) == "aaaaa"
        assert (end_of(events).reason, end_of(events).completion_tokens) == (FinishReason.LENGTH, 5)
        assert stepper.emptied.wait(30)


def test_a_stop_string_across_tokens(engine: TransformersEngine) -> None:
    with played(engine, writing(engine, "one END two")) as (made, stepper):
        events = collect(made, asked("What?", sampling=Sampling(stop=("END",))))
        assert said(events) == "one"
        assert end_of(events).reason == FinishReason.STOP
        assert stepper.emptied.wait(30)


def test_thinking_apart_from_the_answer(engine: TransformersEngine) -> None:
    with played(engine, writing(engine, "<think>why</think>so.")) as (made, _):
        events = collect(made, asked("What?", reasoning=True))
        assert said(events, "thinking") == "why"
        assert said(events) == "so."


def test_boxes_are_text_for_people_and_numbers_for_programs(engine: TransformersEngine) -> None:
    written = "At <|begin_of_box|>[[100,200,300,400]]<|end_of_box|>: <|begin_of_box|>42<|end_of_box|>"
    with played(engine, writing(engine, written)) as (made, _):
        events = collect(made, asked("Where?"))
    assert said(events) == "At (x 10–30 %, y 20–40 %): 42"
    assert end_of(events).boxes == (Box("At", 0.1, 0.2, 0.3, 0.4),)


def test_boxes_in_a_thought_are_only_text(engine: TransformersEngine) -> None:
    written = "<think>at <|begin_of_box|>[[100,200,300,400]]<|end_of_box|></think>So."
    with played(engine, writing(engine, written)) as (made, _):
        events = collect(made, asked("Where?", reasoning=True))
    assert said(events, "thinking") == "at (x 10–30 %, y 20–40 %)"
    assert (said(events), end_of(events).boxes) == ("So.", ())


def test_a_prompt_beyond_the_context_computes_nothing(engine: TransformersEngine) -> None:
    with played(engine, always(engine), context_tokens=20) as (made, stepper):
        with pytest.raises(PromptTooLong):
            collect(made, asked("What is in this picture? " * 9))
        assert not stepper.emptied.is_set()
        events = collect(made, asked("What?"))
        started, end = events[0], end_of(events)
        assert isinstance(started, Started)
        # What fits is answered, as far as there is room.
        assert end.reason == FinishReason.LENGTH
        assert started.prompt_tokens + end.completion_tokens == 20


def test_cancel_in_the_middle(engine: TransformersEngine) -> None:
    async def run(made: TransformersEngine) -> None:
        stream = made.submit(asked("What?", sampling=Sampling(max_new_tokens=10**6)))
        await first_delta(stream)
        assert made.cancel("r1")
        events = await gather(stream)
        assert end_of(events).reason == FinishReason.CANCELLED
        assert end_of(events).completion_tokens > 0
        assert not made.cancel("r1")
        assert not made.cancel("nobody")

    with played(engine, always(engine), context_tokens=10**7) as (made, stepper):
        asyncio.run(run(made))
        assert stepper.emptied.wait(30)


def test_a_stop_takes_effect_within_the_step_that_is_being_made(engine: TransformersEngine) -> None:
    letter, in_step, go_on = token(engine, "a"), threading.Event(), threading.Event()
    made: list[int] = []

    def play(_sequence: Sequence, number: int) -> int:
        made.append(number)
        if number == 3:
            in_step.set()
            assert go_on.wait(30)
        return letter

    async def run(engine: TransformersEngine) -> list[Event]:
        stream = engine.submit(asked("What?", sampling=Sampling(max_new_tokens=10**6)))
        assert await asyncio.to_thread(in_step.wait, 30)
        assert engine.cancel("r1")
        go_on.set()
        return await gather(stream)

    with played(engine, play, context_tokens=10**7) as (playing, stepper):
        events = asyncio.run(run(playing))
        assert stepper.emptied.wait(30)
    assert made == [0, 1, 2, 3]
    # What the step still computed is not said any more.
    assert (said(events), end_of(events).reason) == ("aaa", FinishReason.CANCELLED)


async def _close(stream: Events) -> None:
    await stream.aclose()
    assert [event async for event in stream] == []


async def _cancel_the_reader(stream: Events) -> None:
    reader = asyncio.ensure_future(gather(stream))
    await asyncio.sleep(0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader


async def _forget(stream: Events) -> None:
    del stream


@pytest.mark.parametrize("leave", [_close, _cancel_the_reader, _forget])
def test_whoever_leaves_frees_the_request(engine: TransformersEngine, leave: Callable[[Events], object]) -> None:
    async def run(made: TransformersEngine) -> None:
        streams = [made.submit(asked("What?", sampling=Sampling(max_new_tokens=10**6)))]
        await first_delta(streams[0])
        left = leave(streams.pop())
        assert asyncio.iscoroutine(left)
        await left

    with played(engine, always(engine), context_tokens=10**7) as (made, stepper):
        asyncio.run(run(made))
        gc.collect()
        assert stepper.emptied.wait(30)


def test_a_loop_that_is_gone_frees_its_requests(engine: TransformersEngine) -> None:
    async def run(made: TransformersEngine) -> Events:
        stream = made.submit(asked("What?", sampling=Sampling(max_new_tokens=10**6)))
        await first_delta(stream)
        return stream

    with played(engine, always(engine), context_tokens=10**7) as (made, stepper):
        stream = asyncio.run(run(made))
        del stream
        gc.collect()
        assert stepper.emptied.wait(30)
        assert said(collect(made, asked("What?", id="r2", sampling=Sampling(max_new_tokens=2)))) == "aa"


def test_a_deadline_while_answering(engine: TransformersEngine) -> None:
    with played(engine, always(engine), context_tokens=10**7) as (made, stepper):
        with pytest.raises(DeadlineExceeded):
            collect(made, asked("What?", deadline_s=0.05, sampling=Sampling(max_new_tokens=10**6)))
        assert stepper.emptied.wait(30)


def test_a_deadline_that_is_over_at_once(engine: TransformersEngine) -> None:
    with pytest.raises(DeadlineExceeded):
        collect(engine, asked("What?", deadline_s=0.0))


def test_a_picture_that_does_not_decode_fails_alone(engine: TransformersEngine) -> None:
    async def run() -> list[object]:
        good = asked("What?", id="good", pictures=(noise(56, 56),), sampling=Sampling(max_new_tokens=20))
        bad = asked("What?", id="bad", pictures=(BROKEN,))
        return await asyncio.gather(
            *(gather(engine.submit(request)) for request in (good, bad)), return_exceptions=True
        )

    good, bad = asyncio.run(run())
    assert isinstance(bad, InferenceError)
    assert not bad.retryable
    assert isinstance(good, list)
    assert end_of(good).completion_tokens > 0


def test_a_text_that_the_tokenizer_panics_at_ends_its_request(engine: TransformersEngine) -> None:
    # The panic is no `Exception`: unnoticed, it would leave the request waiting until its deadline.
    loaded = replace(engine._loaded, tokenizer=TOKENIZERS["takes white space along"])
    made = TransformersEngine(loaded, PlayedStepper(always(engine)))
    try:
        with pytest.raises(InferenceError, match="panic"):
            collect(made, asked("<image>\n\n\n\n"))
        with pytest.raises(InferenceError, match="panic"):
            made.count_tokens(Message("user", "<image>\n\n\n\n"))
    finally:
        made.close()


def test_memory_that_runs_out_concerns_one_request(engine: TransformersEngine) -> None:
    letter = token(engine, "a")

    def play(sequence: Sequence, number: int) -> int | InferenceError:
        return OutOfMemory("no more") if sequence.sampling.seed == 13 and number == 2 else letter

    async def run(made: TransformersEngine) -> list[object]:
        requests = [
            asked("What?", id=str(seed), sampling=Sampling(max_new_tokens=6, seed=seed)) for seed in (12, 13, 14)
        ]
        return await asyncio.gather(*(gather(made.submit(r)) for r in requests), return_exceptions=True)

    with played(engine, play) as (made, _):
        first, unlucky, last = asyncio.run(run(made))
        assert isinstance(unlucky, OutOfMemory)
        assert unlucky.retryable
        assert isinstance(first, list)
        assert isinstance(last, list)
        assert said(first) == said(last) == "aaaaaa"
        assert said(collect(made, asked("again", sampling=Sampling(max_new_tokens=1)))) == "a"


def test_a_mistake_in_a_step_is_told_and_survived(engine: TransformersEngine) -> None:
    letter = token(engine, "a")

    def play(sequence: Sequence, _number: int) -> int:
        if sequence.sampling.seed == 13:
            raise ZeroDivisionError("a mistake")
        return letter

    with played(engine, play) as (made, _):
        with pytest.raises(InferenceError, match="a mistake"):
            collect(made, asked("What?", sampling=Sampling(seed=13)))
        assert said(collect(made, asked("What?", sampling=Sampling(max_new_tokens=3)))) == "aaa"


def test_a_mistake_is_told_to_those_who_had_just_been_answered_too(engine: TransformersEngine) -> None:
    letter = token(engine, "a")
    answered: list[int | None] = []

    def play(sequence: Sequence, _number: int) -> int:
        answered.append(sequence.sampling.seed)
        # In the step before, both were answered, and the first has been once more in this one.
        if answered[-3:] == [13, 12, 13]:
            raise ZeroDivisionError("a mistake")
        return letter

    async def run(made: TransformersEngine) -> list[object]:
        requests = [
            asked("What?", id=str(seed), sampling=Sampling(max_new_tokens=10**6, seed=seed)) for seed in (12, 13)
        ]
        return await asyncio.gather(*(gather(made.submit(r)) for r in requests), return_exceptions=True)

    with played(engine, play, context_tokens=10**7) as (made, _):
        assert [type(end) for end in asyncio.run(run(made))] == [InferenceError, InferenceError]


def test_close_ends_everything(engine: TransformersEngine) -> None:
    async def run(made: TransformersEngine) -> None:
        streams = [made.submit(asked("What?", id=str(n), sampling=Sampling(max_new_tokens=10**6))) for n in range(8)]
        await first_delta(streams[0])
        await asyncio.to_thread(made.close)
        for stream in streams:
            with pytest.raises(EngineStopped) as caught:
                await gather(stream)
            assert caught.value.retryable
        with pytest.raises(EngineStopped):
            await gather(made.submit(asked("late", id="late")))
        assert not made.cancel("0")

    with played(engine, always(engine), context_tokens=10**7) as (made, stepper):
        asyncio.run(run(made))
        assert stepper.emptied.wait(30)


def test_one_id_is_in_flight_once(engine: TransformersEngine) -> None:
    async def run(made: TransformersEngine) -> None:
        stream = made.submit(asked("What?", sampling=Sampling(max_new_tokens=10**6)))
        with pytest.raises(InferenceError, match="already in flight"):
            await gather(made.submit(asked("What else?")))
        # The one that was there goes on.
        assert (await first_delta(stream)).text == "a"
        await stream.aclose()

    with played(engine, always(engine), context_tokens=10**7) as (made, _):
        asyncio.run(run(made))


def test_a_short_answer_does_not_wait_for_a_long_one(engine: TransformersEngine) -> None:
    ended: list[str] = []

    async def ask(name: str, tokens: int) -> None:
        await gather(engine.submit(asked("How many are there?", id=name, sampling=Sampling(max_new_tokens=tokens))))
        ended.append(name)

    async def run() -> None:
        await asyncio.gather(ask("long", 400), ask("short", 3))

    asyncio.run(run())
    assert ended == ["short", "long"]


def test_a_seed_makes_the_draw_repeatable(engine: TransformersEngine) -> None:
    def ask(seed: int) -> str:
        sampling = Sampling(max_new_tokens=12, temperature=1.5, seed=seed)
        return said(collect(engine, asked("How many are there?", sampling=sampling)))

    assert ask(1) == ask(1)
    assert len({ask(seed) for seed in range(4)}) > 1


def test_deltas_are_valid_text_whatever_the_model_says(engine: TransformersEngine) -> None:
    events = collect(engine, asked("How?", sampling=Sampling(max_new_tokens=200, temperature=2.0, seed=6)))
    deltas = [event for event in events if isinstance(event, Delta)]
    assert len(deltas) > 10
    assert all(delta.text and delta.text == delta.text.encode().decode() for delta in deltas)


def test_callers_in_many_threads_and_loops(engine: TransformersEngine) -> None:
    questions = [f"How many are there? {number}" for number in range(6)]
    alone = {
        question: said(collect(engine, asked(question, sampling=Sampling(max_new_tokens=8)))) for question in questions
    }
    answers: dict[tuple[int, str], str] = {}

    def ask_all(thread: int) -> None:
        async def run() -> None:
            requests = [
                asked(question, id=f"{thread} {question}", sampling=Sampling(max_new_tokens=8))
                for question in questions
            ]
            engine.count_tokens(Message("user", "meanwhile", (noise(56 + thread, 84),)))
            for question, events in zip(
                questions, await asyncio.gather(*(gather(engine.submit(r)) for r in requests)), strict=True
            ):
                answers[thread, question] = said(events)

        asyncio.run(run())

    threads = [threading.Thread(target=ask_all, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {(thread, question): alone[question] for thread in range(4) for question in questions}


def test_an_order_of_roles_that_the_template_refuses_fails_alone(engine_of: EngineOf) -> None:
    # LLaVA's template reads the text of an assistant's message only; this one has none to read.
    engine = engine_of("llava_next")
    request = Request("odd", (Message("assistant", "", (noise(56, 56),)), Message("user", "What?")), Sampling())
    with pytest.raises(InferenceError):
        collect(engine, request)
    assert end_of(collect(engine, asked("What?", sampling=Sampling(max_new_tokens=2)))).completion_tokens > 0
