"""The backend engine in front of `transformers serve`, a server that is not ours, with the demo model."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BackendUnavailable, ConfigurationError, DeadlineExceeded, EngineStopped, InferenceError
from core.inference.create import create_engine
from core.inference.openai_backend.engine import OpenAIEngine
from core.inference.openai_backend.retries import Waits
from core.inference.port import Delta, Engine, Event, Message, Picture, Request, Sampling, Started
from core.inference.source import DEMO
from core.settings import Settings, load_settings
from core.store.database import Store
from core.values import FinishReason, TurnState
from tests.integration.inference.openai_backend.fault_proxy import FaultProxy, cut, fault_proxy, garbled, held, status
from tests.integration.worker.workbench import workbench
from tests.unit.inference.asking import asked, collect, end_of, first_delta, gather, said

QUICK = Waits(first_s=0.01, longest_s=0.02, patience_s=20.0)
QUESTION = "Describe the picture."


def at(url: str, **chosen: object) -> Settings:
    given = {"backend": "openai", "backend_url": f"{url}/v1", "model": str(DEMO), "context_tokens": 1024, **chosen}
    return load_settings(_env_file=None, **given)


@pytest.fixture(scope="module")
def sample() -> Picture:
    return Picture("a" * 64, (DEMO / "sample.png").read_bytes(), 400, 400)


@pytest.fixture(scope="module")
def here() -> Iterator[Engine]:
    """The same weights in this process."""
    engine = create_engine(load_settings(_env_file=None, model="demo", device="cpu", dtype="float32"))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def proxy(transformers_serve: str) -> Iterator[FaultProxy]:
    with fault_proxy(transformers_serve) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def there(proxy: FaultProxy) -> Iterator[OpenAIEngine]:
    """The engine, which has found out by itself what the server does not know."""
    engine = OpenAIEngine.connect(at(proxy.url), waits=QUICK)
    yield engine
    engine.close()


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """Not set before the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_it_says_what_the_same_weights_say_here(here: Engine, there: OpenAIEngine, sample: Picture) -> None:
    before = (
        Message("user", "What is in the top left?", (sample,)),
        Message("assistant", "A star."),
        Message("user", "What colour is it?"),
    )
    for request in (asked(QUESTION, pictures=(sample,)), asked("Hello"), Request("r2", before)):
        ours, theirs = collect(here, request), collect(there, request)
        assert said(theirs) == said(ours) != ""
        assert end_of(theirs).reason == end_of(ours).reason == FinishReason.STOP
        recount = end_of(theirs).recount
        assert recount is not None
        assert isinstance(ours[0], Started)
        # Their count includes the end of the sequence, which ours does not say.
        assert end_of(theirs).completion_tokens - end_of(ours).completion_tokens in (0, 1)
        assert recount.prompt_tokens == ours[0].prompt_tokens


def test_the_stream_is_one_of_the_port(there: OpenAIEngine, sample: Picture) -> None:
    assert isinstance(there, Engine)
    assert there.model_name == str(DEMO)
    started, *deltas, _ = collect(there, asked(QUESTION, pictures=(sample,)))
    assert isinstance(started, Started)
    assert started.prompt_tokens > started.picture_tokens > 0
    assert len(deltas) > 5
    assert all(isinstance(delta, Delta) and delta.text for delta in deltas)


def test_what_the_server_does_not_know_is_left_out_after_one_refusal(proxy: FaultProxy, sample: Picture) -> None:
    engine = OpenAIEngine.connect(at(proxy.url), waits=QUICK)
    proxy.bodies.clear()
    try:
        request = asked(QUESTION, pictures=(sample,), sampling=Sampling(top_k=5, repetition_penalty=1.1, seed=3))
        assert said(collect(engine, request))
        assert said(collect(engine, request))
    finally:
        engine.close()
    first, second, third = [set(body) for body in proxy.bodies]
    assert first - second == {"top_k", "repetition_penalty"}
    assert third == second >= {"seed", "stream_options", "chat_template_kwargs", "max_tokens"}
    # `connect` tried the model out and learned of this one then.
    assert "thinking" not in first


def test_the_token_limit_and_stop_strings(there: OpenAIEngine, sample: Picture) -> None:
    whole = said(collect(there, asked(QUESTION, pictures=(sample,))))
    short = collect(there, asked(QUESTION, pictures=(sample,), sampling=Sampling(max_new_tokens=3)))
    assert (end_of(short).reason, end_of(short).completion_tokens) == (FinishReason.LENGTH, 3)
    assert whole.startswith(said(short))
    stopped = collect(there, asked(QUESTION, pictures=(sample,), sampling=Sampling(max_new_tokens=60, stop=(", a",))))
    assert said(stopped) == whole.split(", a")[0]
    assert end_of(stopped).reason == FinishReason.STOP


def test_many_at_once_from_many_loops(proxy: FaultProxy, sample: Picture) -> None:
    engine = OpenAIEngine.connect(at(proxy.url, backend_parallel=2), waits=QUICK)
    answers: list[str] = []
    proxy.most_inside = 0

    def ask(thread: int) -> None:
        async def both() -> list[list[Event]]:
            requests = [asked(QUESTION, id=f"{thread}-{n}", pictures=(sample,)) for n in range(2)]
            return list(await asyncio.gather(*(gather(engine.submit(request)) for request in requests)))

        answers.extend(said(events) for events in asyncio.run(both()))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.close()
    assert len(answers) == 6
    assert len(set(answers)) == 1
    assert proxy.most_inside == 2


@pytest.mark.parametrize("how", ["cancel", "aclose"])
def test_stopping_closes_the_connection(
    proxy: FaultProxy, there: OpenAIEngine, sample: Picture, never: threading.Event, how: str
) -> None:
    proxy.left.clear()
    proxy.faults.append(held(never, before=4))

    async def run() -> list[Event]:
        stream = there.submit(asked(QUESTION, pictures=(sample,)))
        await first_delta(stream)
        if how == "cancel":
            assert there.cancel("r1")
            return await gather(stream)
        await stream.aclose()
        return []

    events = asyncio.run(run())
    assert proxy.left.wait(30)
    if how == "cancel":
        assert end_of(events).reason == FinishReason.CANCELLED
        assert end_of(events).completion_tokens >= 1
        assert not there.cancel("r1")
    # Under a name of its own: nobody is told when a request whose stream was closed has ended.
    assert said(collect(there, replace(asked("Hello"), id="r2")))


def test_the_deadline_also_holds_before_the_first_token(
    proxy: FaultProxy, there: OpenAIEngine, sample: Picture, never: threading.Event
) -> None:
    proxy.left.clear()
    proxy.faults.append(held(never))
    with pytest.raises(DeadlineExceeded):
        collect(there, asked(QUESTION, pictures=(sample,), deadline_s=0.2))
    assert proxy.left.wait(30)


def test_a_slow_first_token_is_waited_for(proxy: FaultProxy, there: OpenAIEngine, sample: Picture) -> None:
    go = threading.Event()
    proxy.faults.append(held(go, before=1))

    async def run() -> list[Event]:
        stream = there.submit(asked(QUESTION, pictures=(sample,)))
        started = await anext(stream)
        go.set()
        return [started, *await gather(stream)]

    assert said(asyncio.run(run()))


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (cut(4, reset=True), "broke off"),
        (cut(4), "no finish_reason"),
        (garbled(4), "no part of an answer"),
    ],
)
def test_an_answer_that_broke_off_is_a_retryable_error(
    proxy: FaultProxy, there: OpenAIEngine, sample: Picture, fault: object, detail: str
) -> None:
    proxy.faults.append(fault)  # type: ignore[arg-type]
    with pytest.raises(BackendUnavailable, match=detail) as caught:
        collect(there, asked(QUESTION, pictures=(sample,)))
    assert caught.value.retryable


@pytest.mark.parametrize("fault", [cut(1, reset=True), cut(0), garbled(1), status(500, "oops"), status(503, {})])
def test_what_fails_before_the_first_word_is_asked_again(
    proxy: FaultProxy, there: OpenAIEngine, sample: Picture, fault: object
) -> None:
    proxy.bodies.clear()
    proxy.faults.append(fault)  # type: ignore[arg-type]
    events = collect(there, asked(QUESTION, pictures=(sample,)))
    assert said(events)
    assert [type(event) for event in events].count(Started) == 1
    assert len(proxy.bodies) == 2


def test_closing_ends_what_is_in_flight(proxy: FaultProxy, sample: Picture, never: threading.Event) -> None:
    engine = OpenAIEngine.connect(at(proxy.url), waits=QUICK)
    proxy.left.clear()
    proxy.faults.append(held(never, before=4))

    async def run() -> None:
        stream = engine.submit(asked(QUESTION, pictures=(sample,)))
        await first_delta(stream)
        await asyncio.to_thread(engine.close)
        with pytest.raises(EngineStopped):
            await gather(stream)

    asyncio.run(run())
    assert proxy.left.wait(30)
    with pytest.raises(EngineStopped):
        collect(engine, asked("late"))


def test_a_server_of_another_model_is_noticed_at_the_start(proxy: FaultProxy) -> None:
    with pytest.raises(ConfigurationError, match=r"does not serve 'owner/other'.*Set GLIMT_MODEL"):
        OpenAIEngine.connect(at(proxy.url, model="owner/other"))


def test_a_picture_that_the_server_cannot_read_fails_alone(there: OpenAIEngine, sample: Picture) -> None:
    broken = Picture("b" * 64, sample.data[:60], 400, 400)
    with pytest.raises(InferenceError):
        collect(there, asked(QUESTION, pictures=(broken,), deadline_s=2.0))
    assert said(collect(there, asked(QUESTION, pictures=(sample,))))


def test_a_turn_of_the_worker(proxy: FaultProxy, sqlite_store: Store, tmp_path: Path) -> None:
    engine = create_engine(at(proxy.url))
    with workbench(sqlite_store, engine, tmp_path, max_new_tokens=20) as bench:
        turn = bench.answered("Hello")
    assert (turn.state, turn.error_code) == (TurnState.ANSWERED, "")
    assert turn.answer
    assert turn.model == str(DEMO)
    assert turn.prompt_tokens > 0
