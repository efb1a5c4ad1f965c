"""What servers answer instead of an answer, over real HTTP. `transformers serve` says none of it, so the proxy does."""

import asyncio
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from core.conversation.budget import PastExchange, fit
from core.errors import (
    BackendUnavailable,
    ConfigurationError,
    ContentRefused,
    InferenceError,
    PromptMiscounted,
    PromptTooLong,
)
from core.inference.openai_backend.engine import OpenAIEngine
from core.inference.openai_backend.retries import Waits
from core.inference.port import Message, Request
from core.store.database import Store
from core.values import FinishReason, TurnState
from tests.integration.inference.openai_backend.desk import HI, HI_CHUNKS, KEY, QUICK, at, failing
from tests.integration.inference.openai_backend.fault_proxy import FaultProxy, fault_proxy, saying, status
from tests.integration.worker.workbench import workbench
from tests.processes import until
from tests.unit.inference.asking import asked, collect, end_of, first_delta, gather, said


@pytest.mark.parametrize("code", [401, 403])
def test_a_wrong_key(server: FaultProxy, engine: OpenAIEngine, code: int) -> None:
    server.faults.append(status(code, {"error": {"message": f"Incorrect API key provided: {KEY}", "code": None}}))
    error = failing(engine)
    assert isinstance(error, ConfigurationError)
    assert "Check GLIMT_BACKEND_KEY" in str(error)
    assert not error.retryable
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (404, {"object": "error", "message": "The model `m` does not exist.", "type": "NotFoundError", "code": 404}),
        (400, {"error": {"code": "1211", "message": "Model does not exist, please check the model code."}}),
        (400, {"detail": "Server is pinned to '/models/m'; requested 'x'."}),
    ],
)
def test_a_model_that_is_not_there(server: FaultProxy, engine: OpenAIEngine, code: int, body: Any) -> None:
    server.models = [{"id": "this"}, {"id": "that"}]
    server.faults += [status(code, body)] * 2
    error = failing(engine)
    assert isinstance(error, ConfigurationError)
    assert "does not serve 'm'" in str(error)
    assert "It lists: this, that." in str(error)


def test_an_address_without_an_api(server: FaultProxy) -> None:
    with pytest.raises(ConfigurationError, match="as in …/v1"):
        OpenAIEngine.connect(at(server.url, backend_url=f"{server.url}/v2"))


def test_a_redirect_is_not_followed_with_the_key(server: FaultProxy, engine: OpenAIEngine) -> None:
    server.faults.append(status(307, "", location=f"{server.url}/v1/chat/completions"))
    error = failing(engine)
    assert isinstance(error, ConfigurationError)
    assert "GLIMT_BACKEND_URL" in str(error)
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("code", "body"),
    [(402, {}), (429, {"error": {"code": "insufficient_quota"}}), (429, {"error": {"code": "1113", "message": "…"}})],
)
def test_an_account_without_credit_is_not_waited_for(
    server: FaultProxy, engine: OpenAIEngine, code: int, body: Any
) -> None:
    server.faults.append(status(code, body))
    assert isinstance(failing(engine), ConfigurationError)


@pytest.mark.parametrize("code", [429, 503, 529, 500, 502, 408])
def test_what_passes_is_waited_for(server: FaultProxy, engine: OpenAIEngine, code: int) -> None:
    server.faults += [status(code, {"error": {"message": "later"}}, retry_after="0.01"), HI]
    assert said(collect(engine, asked("Hello"))) == "Hi"
    assert len(server.bodies) == 2


def test_what_does_not_pass_in_time_is_left_to_the_next_attempt(server: FaultProxy, engine: OpenAIEngine) -> None:
    server.faults.append(status(429, {"error": {"message": "Too many"}}, retry_after="3600"))
    error = failing(engine)
    assert isinstance(error, BackendUnavailable)
    assert error.retryable
    assert "429: Too many" in str(error)


def test_a_server_that_has_too_much_gets_fewer_at_once(server: FaultProxy) -> None:
    go = threading.Event()
    engine = OpenAIEngine.connect(at(server.url, backend_parallel=2), waits=QUICK)
    server.most_inside = 0
    server.faults += [status(429, {}, retry_after="0"), saying(*HI_CHUNKS, until=go), HI]

    async def run() -> tuple[str, str]:
        first = engine.submit(asked("Hello", id="first"))
        await first_delta(first)
        second = engine.submit(asked("Hello", id="second"))
        for _ in range(5):  # Time enough for a request that nothing keeps back.
            await asyncio.to_thread(urllib.request.urlopen, f"{server.url}/v1/models")
        assert len(server.bodies) == 2
        go.set()
        return end_of(await gather(first)).reason, said(await gather(second))

    answers = asyncio.run(run())
    engine.close()
    assert answers == (FinishReason.STOP, "Hi")
    assert server.most_inside == 1


def test_a_server_that_fails_each_time_is_not_asked_for_ever(server: FaultProxy, engine: OpenAIEngine) -> None:
    server.faults += [status(500, "oops")] * 9
    assert failing(engine).retryable
    assert len(server.bodies) == QUICK.failures


def test_a_server_that_went_away(server: FaultProxy) -> None:
    with fault_proxy("http://nowhere.invalid") as other:
        other.models = server.models
        engine = OpenAIEngine.connect(at(other.url), waits=Waits(first_s=0.01, longest_s=0.02, patience_s=0.1))
    error = failing(engine)
    engine.close()
    assert isinstance(error, BackendUnavailable)
    assert error.retryable


def test_a_server_that_is_not_up_yet(server: FaultProxy) -> None:
    with fault_proxy("http://nowhere.invalid") as other:
        gone = other.url
    with pytest.raises(BackendUnavailable, match="Start it, or check GLIMT_BACKEND_URL"):
        OpenAIEngine.connect(at(gone))
    server.models_status = 503
    seen: list[str] = []

    def comes_up() -> None:
        seen.append("asked")
        if len(seen) == 3:
            server.models_status = 200

    server.on_list = comes_up
    try:
        engine = OpenAIEngine.connect(at(server.url), patience_s=20.0, waits=QUICK)
    finally:
        server.on_list = lambda: None
    engine.close()
    assert len(seen) == 3


@pytest.mark.parametrize(
    "body",
    [
        {
            "error": {
                "message": "This model's maximum context length is 4,096 tokens. However, your request has 5000 input "
                "tokens."
            }
        },
        {
            "error": {
                "type": "exceed_context_size_error",
                "code": 400,
                "message": "…",
                "n_prompt_tokens": 5000,
                "n_ctx": 4096,
            }
        },
        {"message": "The input (5000 tokens) is longer than the model's context length (4096 tokens).", "code": 400},
        {"error": {"code": "1261", "message": "Prompt exceeds max length"}},
    ],
)
def test_a_prompt_that_is_too_long_is_shorter_at_the_next_attempt(
    server: FaultProxy, fresh: OpenAIEngine, body: Any
) -> None:
    past = [PastExchange(n, f"Question {n} " * 40, "And its answer. " * 40) for n in range(12)]

    def prompt() -> tuple[Message, ...]:
        return fit("", past, "And now?", (), fresh.context_tokens - 512, fresh.count_tokens).messages

    before = prompt()
    server.faults.append(status(400, body))
    with pytest.raises(PromptMiscounted) as caught:
        collect(fresh, Request("r1", before))
    assert caught.value.retryable
    assert caught.value.code == PromptTooLong.code
    assert 1 < len(prompt()) < len(before)
    assert len(server.bodies) == 1


def test_a_turn_that_was_too_long_for_the_server_is_answered_with_less_history(
    server: FaultProxy, sqlite_store: Store, tmp_path: Path
) -> None:
    server.models = [{"id": "m", "max_model_len": 1300}]
    engine = OpenAIEngine.connect(at(server.url), waits=QUICK)
    with workbench(sqlite_store, engine, tmp_path, max_new_tokens=100, retry_base_s=0.001) as bench:
        for _ in range(4):
            server.faults.append(saying({"delta": {"content": "Words. " * 80}, "finish_reason": "stop"}))
            bench.answerer.answer(bench.ask("Tell me more.", thread="t"))
        turn_id = bench.ask("And now?", thread="t")
        server.faults += [status(400, {"error": {"code": "context_length_exceeded", "message": "…"}}), HI]
        bench.answerer.answer(turn_id)
        assert bench.turn(turn_id).state == TurnState.READY

        def answered_now() -> str:
            bench.answerer.answer(turn_id)
            return bench.turn(turn_id).answer

        until(answered_now, "the next attempt")
        turn = bench.turn(turn_id)
    assert (turn.state, turn.answer, turn.failures) == (TurnState.ANSWERED, "Hi", 1)
    refused, answered = [len(body["messages"]) for body in server.bodies[-2:]]
    assert 1 < answered < refused
    assert turn.left_out


def test_a_smaller_context_is_learned_from_the_refusal(server: FaultProxy, fresh: OpenAIEngine) -> None:
    said = (
        "This model's maximum context length is 2048 tokens. However, you requested 2506 tokens (6 in the messages, "
        "2500 in the completion). Please reduce the length of the messages or completion."
    )
    server.faults.append(status(400, {"object": "error", "message": said, "code": 400}))
    assert isinstance(failing(fresh), PromptMiscounted)
    assert fresh.context_tokens == 2048
    assert fresh.count_tokens(Message("user", "abc")) == 9


def test_too_many_bytes(server: FaultProxy, engine: OpenAIEngine) -> None:
    server.faults.append(status(413, "<html>413 Request Entity Too Large</html>"))
    error = failing(engine)
    assert isinstance(error, PromptTooLong)
    assert not error.retryable


@pytest.mark.parametrize(
    ("code", "body"), [(400, {"error": {"code": "1301", "message": "…"}}), (400, {"error": {"code": "content_filter"}})]
)
def test_what_a_vendor_does_not_allow_is_said_so(
    server: FaultProxy, engine: OpenAIEngine, code: int, body: Any
) -> None:
    server.faults += [status(code, body)] * 2
    error = failing(engine)
    assert "does not allow" in error.user_message
    # Review queues find it by this.
    assert isinstance(error, ContentRefused)
    assert not error.retryable


def test_a_refusal_of_another_kind_is_final_and_repeats_no_words_of_people(
    server: FaultProxy, engine: OpenAIEngine
) -> None:
    detail = [{"loc": ["body", "messages"], "msg": "wrong", "input": {"content": "my secret question"}}]
    server.faults += [status(422, {"detail": detail})] * 3
    error = failing(engine, "my secret question")
    assert type(error) is InferenceError
    assert not error.retryable
    assert "wrong" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("end", "retryable"),
    [
        ({"delta": {}, "finish_reason": "abort"}, True),
        ({"delta": {}, "finish_reason": "content_filter"}, False),
        ({"error": {"message": "CUDA error", "code": 500}}, True),
        ({"error": {"message": "bad picture", "code": 400}}, False),
        ({"choices": [{"index": 0, "delta": {"content": [{"type": "text"}]}}]}, True),
    ],
)
def test_an_answer_that_ends_badly_is_no_answer(
    server: FaultProxy, engine: OpenAIEngine, end: Any, retryable: bool
) -> None:
    server.faults.append(saying({"delta": {"content": "Half of"}}, end))
    error = failing(engine)
    assert isinstance(error, InferenceError)
    assert error.retryable == retryable
