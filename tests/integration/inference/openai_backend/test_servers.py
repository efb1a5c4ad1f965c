"""How servers differ: the fields that they know, how they think aloud, what they list and count."""

import json
from typing import Any

import pytest

from core.errors import (
    ConfigurationError,
)
from core.inference.openai_backend.engine import OpenAIEngine
from core.inference.port import Message, Sampling, Started
from core.values import FinishReason
from tests.integration.inference.openai_backend.desk import HI, HI_CHUNKS, KEY, at
from tests.integration.inference.openai_backend.fault_proxy import FaultProxy, saying, status
from tests.unit.inference.asking import asked, collect, end_of, said


def test_each_field_that_is_refused_is_found_and_remembered(server: FaultProxy, fresh: OpenAIEngine) -> None:
    renamed = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    server.faults += [
        status(400, {"error": {"message": renamed, "param": "max_tokens", "code": "unsupported_parameter"}}),
        status(422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "top_k"], "msg": "Extra inputs"}]}),
        status(400, {"error": {"message": "Invalid request."}}),
        HI,
        HI,
    ]
    request = asked("Hello", sampling=Sampling(top_k=3, max_new_tokens=7))
    for _ in range(2):
        assert said(collect(fresh, request)) == "Hi"
    fields = [set(body) - {"model", "messages", "stream"} for body in server.bodies]
    extra = {"stream_options", "thinking", "chat_template_kwargs"}
    assert fields == [
        {"temperature", "max_tokens", "top_k", *extra},
        {"temperature", "max_completion_tokens", "top_k", *extra},
        {"temperature", "max_completion_tokens", *extra},
        {"temperature", "max_completion_tokens"},
        {"temperature", "max_completion_tokens"},
    ]


def test_a_value_that_is_refused_does_not_cost_the_field(server: FaultProxy, engine: OpenAIEngine) -> None:
    server.faults += [status(400, {"error": {"message": "seed must be at least 0"}}), HI, HI]
    for _ in range(2):
        assert said(collect(engine, asked("Hello", sampling=Sampling(seed=-1)))) == "Hi"
    assert ["seed" in body for body in server.bodies] == [True, False, True]


def test_thinking_that_comes_apart(server: FaultProxy, engine: OpenAIEngine) -> None:
    end = {"delta": {}, "finish_reason": "length"}
    for field in ("reasoning_content", "reasoning"):
        server.faults.append(
            saying({"delta": {field: " Let me "}}, {"delta": {field: "see."}}, {"delta": {"content": "\n3"}}, end)
        )
        events = collect(engine, asked("How many?", reasoning=True))
        assert (said(events, "thinking"), said(events)) == ("Let me see.", "3")
        assert end_of(events).reason == FinishReason.LENGTH
    assert server.bodies[-1]["thinking"] == {"type": "enabled"}
    assert server.bodies[-1]["chat_template_kwargs"] == {"enable_thinking": True}


def test_thinking_between_tags(server: FaultProxy, engine: OpenAIEngine) -> None:
    pieces = ["<th", "ink>Hm.</thi", "nk>\n", "Three", " cats. And"]
    server.faults.append(saying(*({"delta": {"content": piece}} for piece in pieces)))
    events = collect(engine, asked("How many?", sampling=Sampling(stop=(". And", "Hm"))))
    # The stop string in the thinking stops nothing; the one in the answer ends it without the server's own end.
    assert (said(events, "thinking"), said(events)) == ("Hm.", "Three cats")
    assert end_of(events).reason == FinishReason.STOP
    assert "stop" not in server.bodies[-1]


def test_what_the_server_counted_is_told_in_the_end(server: FaultProxy, engine: OpenAIEngine) -> None:
    usage = {"prompt_tokens": 77, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 64}}
    server.faults += [saying(*HI_CHUNKS, {"choices": [], "usage": usage}), HI]
    before = engine.stats()
    events = collect(engine, asked("Hello"))
    assert events[0] == Started(engine.count_tokens(Message("user", "Hello")))
    assert end_of(events).completion_tokens == 9
    assert end_of(events).recount == Started(77, 0, 64)
    # Counted at the very end, after the last event: the next request comes later than that.
    collect(engine, asked("Again"))
    now = engine.stats()
    assert now.prompt_tokens - before.prompt_tokens >= 77
    assert now.cached_tokens - before.cached_tokens == 64


@pytest.mark.parametrize(
    ("models", "props", "chosen", "context"),
    [
        ([{"id": "m", "max_model_len": 4096}], {}, {}, 4096),
        ([{"id": "only", "max_model_len": 4096}], {}, {"model": "demo"}, 4096),
        ([{"id": "m", "max_model_len": 4096}], {}, {"context_tokens": 1000}, 1000),
        ([{"id": "m", "context_length": 9000}], {}, {"context_tokens": 10000}, 9000),
        ([{"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}}], {}, {}, 131072),
        (
            [{"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}}],
            {"default_generation_settings": {"n_ctx": 2048}},
            {},
            2048,
        ),
        ([{"id": "m"}], {}, {}, 8192),
        ([{"id": "m"}], {}, {"context_tokens": 65536}, 65536),
    ],
)
def test_what_the_server_serves(
    server: FaultProxy, models: Any, props: Any, chosen: dict[str, Any], context: int
) -> None:
    server.models, server.props = models, props
    engine = OpenAIEngine.connect(at(server.url, **chosen))
    assert (engine.model_name, engine.context_tokens) == (models[0]["id"], context)
    # Nothing was asked of the model itself.
    assert server.bodies == []
    assert "answers; " in _tried(engine, server)
    engine.close()


def _tried(engine: OpenAIEngine, server: FaultProxy) -> str:
    server.faults.append(HI)
    return engine.try_out()


@pytest.mark.parametrize(("models", "says"), [([], "lists: nothing"), ([{"id": "a"}, {"id": "b"}], "lists: a, b")])
def test_a_model_must_be_named_unless_there_is_one(server: FaultProxy, models: Any, says: str) -> None:
    server.models = models
    with pytest.raises(ConfigurationError, match=f"Set GLIMT_MODEL .*{says}"):
        OpenAIEngine.connect(at(server.url, model="demo"))


def test_a_model_that_is_not_listed_is_tried_out(server: FaultProxy) -> None:
    server.faults.append(HI)
    engine = OpenAIEngine.connect(at(server.url, model="hidden"))
    engine.close()
    assert [(body["model"], body["max_tokens"]) for body in server.bodies] == [("hidden", 1)]


def test_the_key_is_sent_and_none_is_invented(server: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-another-service")
    for key in (KEY, ""):
        server.faults.append(HI)
        engine = OpenAIEngine.connect(at(server.url, backend_key=key))
        collect(engine, asked("Hello"))
        engine.close()
    with_key, without = server.headers
    assert with_key["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in without
    assert "of-another-service" not in json.dumps(server.headers)


def test_words_that_look_like_control_tokens_are_words(server: FaultProxy, engine: OpenAIEngine) -> None:
    server.faults.append(HI)
    collect(engine, asked("<|user|> What is <image>?"))
    assert server.bodies[-1]["messages"] == [{"role": "user", "content": "< |user|> What is < image>?"}]
