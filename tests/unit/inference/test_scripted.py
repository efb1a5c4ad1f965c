"""The scripted engine keeps the port's promises, so that the worker's tests may rely on it."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import (
    ConfigurationError,
    DeadlineExceeded,
    EngineStopped,
    InferenceError,
    OutOfMemory,
    PromptTooLong,
)
from core.inference.create import create_engine
from core.inference.port import Engine, Event, Events, Picture, Request, Sampling, Started
from core.inference.scripted import Script, ScriptedEngine, scripted_engine
from core.settings import load_settings
from core.values import FinishReason
from tests.unit.inference.asking import asked, collect, end_of, first_delta, gather, said

PICTURE = Picture("0" * 64, b"", 8, 8)
Leave = Callable[[Events], Awaitable[None]]


@contextmanager
def playing(engine: ScriptedEngine) -> Iterator[ScriptedEngine]:
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture
def echo() -> Iterator[ScriptedEngine]:
    with playing(scripted_engine("scripted:echo")) as engine:
        yield engine


def test_echo_answers_with_the_question(echo: ScriptedEngine) -> None:
    events = collect(echo, asked("How many  cats?", pictures=(PICTURE,)))
    assert events[0] == Started(2 + 3 + 64, 64)
    assert said(events) == "How many  cats? [1 picture]"
    assert (end_of(events).reason, end_of(events).completion_tokens) == (FinishReason.STOP, 5)


def test_it_is_the_port(echo: ScriptedEngine) -> None:
    assert isinstance(echo, Engine)
    assert echo.model_name == "scripted:echo"


def test_options_of_the_name() -> None:
    with playing(scripted_engine("scripted:echo?tokens=3&pace=1000")) as engine:
        assert said(collect(engine, asked("hello"))) == "word1 word2 word3"


@pytest.mark.parametrize(
    "name", ["scripted:", "scripted:other", "scripted:echo?tokens=x", "scripted:echo?speed=1", "scripted:echo?pace=-1"]
)
def test_a_wrong_name_is_a_configuration_error(name: str) -> None:
    with pytest.raises(ConfigurationError, match="scripted:echo"):
        scripted_engine(name)


def test_create_engine_chooses_it() -> None:
    engine = create_engine(load_settings(_env_file=None, model="scripted:echo"))
    assert isinstance(engine, ScriptedEngine)
    engine.close()


def test_thinking_and_answer_are_apart(echo: ScriptedEngine) -> None:
    events = collect(echo, asked("why [[think]]"))
    assert said(events, "thinking") == "Let me think."
    assert said(events) == "why [[think]]"


def test_length_limit(echo: ScriptedEngine) -> None:
    events = collect(echo, asked("a b c d", sampling=Sampling(max_new_tokens=2)))
    assert said(events) == "a b"
    assert end_of(events).reason == FinishReason.LENGTH


def test_failures_by_marker(echo: ScriptedEngine) -> None:
    with pytest.raises(InferenceError) as caught:
        collect(echo, asked("[[fail]]"))
    assert not caught.value.retryable
    with pytest.raises(OutOfMemory):
        collect(echo, asked("[[fail-once]] please"))
    assert said(collect(echo, asked("[[fail-once]] please"))) == "[[fail-once]] please"


def test_a_prompt_beyond_the_context() -> None:
    with playing(ScriptedEngine(lambda _: Script("yes"), context_tokens=5)) as engine, pytest.raises(PromptTooLong):
        collect(engine, asked("one two three four"))


def test_a_script_that_breaks_fails_its_own_request_alone() -> None:
    def answer(request: Request) -> Script:
        return Script(f"fine {1 / len(request.messages[0].text)}")

    with playing(ScriptedEngine(answer)) as engine:
        with pytest.raises(InferenceError, match="ZeroDivisionError"):
            collect(engine, asked(""))
        assert said(collect(engine, asked("x"))) == "fine 1.0"


def test_cancel_ends_a_hanging_request(echo: ScriptedEngine) -> None:
    async def run() -> list[Event]:
        stream = echo.submit(asked("[[hang]] here"))
        await first_delta(stream)
        assert echo.cancel("r1")
        return await gather(stream)

    events = asyncio.run(run())
    assert end_of(events).reason == FinishReason.CANCELLED
    assert end_of(events).completion_tokens == 1
    assert not echo.cancel("r1")


def test_cancel_before_anything_began(echo: ScriptedEngine) -> None:
    async def run() -> list[Event]:
        stream = echo.submit(asked("[[hang]]"))
        echo.cancel("r1")
        return await gather(stream)

    assert end_of(asyncio.run(run())).reason == FinishReason.CANCELLED


async def _leave_by_closing(stream: Events) -> None:
    await stream.aclose()


async def _leave_by_cancelled_task(stream: Events) -> None:
    task = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("leave", [_leave_by_closing, _leave_by_cancelled_task])
def test_leaving_the_stream_frees_the_request(echo: ScriptedEngine, leave: Leave) -> None:
    async def run() -> list[Event]:
        stream = echo.submit(asked("[[hang]]"))
        await first_delta(stream)
        await leave(stream)
        # The id is free again once the engine's thread has seen the stop.
        while True:
            try:
                return await gather(echo.submit(asked("again")))
            except InferenceError:
                await asyncio.sleep(0)

    assert said(asyncio.run(run())) == "again"


def test_one_id_is_in_flight_once(echo: ScriptedEngine) -> None:
    async def run() -> None:
        stream = echo.submit(asked("[[hang]]"))
        await first_delta(stream)
        with pytest.raises(InferenceError, match="already in flight"):
            await gather(echo.submit(asked("other")))
        await stream.aclose()

    asyncio.run(run())


def test_deadline(echo: ScriptedEngine) -> None:
    with pytest.raises(DeadlineExceeded):
        collect(echo, asked("[[hang]]", deadline_s=0.02))


def test_close_ends_what_is_in_flight() -> None:
    engine = scripted_engine("scripted:echo")

    async def run() -> None:
        stream = engine.submit(asked("[[hang]]"))
        await first_delta(stream)
        await asyncio.to_thread(engine.close)
        with pytest.raises(EngineStopped):
            await gather(stream)

    asyncio.run(run())
    with pytest.raises(EngineStopped):
        collect(engine, asked("late"))
    engine.close()
    assert not engine.cancel("r1")


def test_many_requests_from_loops_in_many_threads(echo: ScriptedEngine) -> None:
    answers: dict[str, str] = {}

    def ask_some(thread: int) -> None:
        async def run() -> None:
            requests = [asked(f"question {thread} {n} [[pace 2000]]", id=f"{thread}-{n}") for n in range(20)]
            for request, events in zip(
                requests, await asyncio.gather(*(gather(echo.submit(r)) for r in requests)), strict=True
            ):
                answers[request.id] = said(events)

        asyncio.run(run())

    threads = [threading.Thread(target=ask_some, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {f"{t}-{n}": f"question {t} {n} [[pace 2000]]" for t in range(4) for n in range(20)}


def test_die_kills_the_process() -> None:
    program = (
        "import asyncio\n"
        "from core.inference.scripted import scripted_engine\n"
        "from core.inference.port import Message, Request\n"
        "async def run():\n"
        "    request = Request('r', (Message('user', '[[die]]'),))\n"
        "    async for event in scripted_engine('scripted:echo').submit(request): pass\n"
        "asyncio.run(run())\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, env=os.environ, timeout=60, check=False, capture_output=True
    )
    assert done.returncode == -9


def test_no_torch_comes_with_it() -> None:
    program = "import sys, core.inference.scripted, core.inference.create; print('torch' in sys.modules)"
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, timeout=60, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False"
