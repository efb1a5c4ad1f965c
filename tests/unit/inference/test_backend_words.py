"""What goes into a request to a backend, and what of its refusals is told."""

from typing import Any

import httpx2
import pytest
from openai import APIStatusError

from core.errors import PictureFormatNotAllowed
from core.inference.openai_backend.payload import chat_fields, data_url
from core.inference.openai_backend.refusal import Refusal
from core.inference.openai_backend.retries import Retries, Waits
from core.inference.openai_backend.words import neutralise_known
from core.inference.port import Message, Picture, Request, Sampling


@pytest.mark.parametrize(
    "token",
    [
        *(
            "<|user|>",
            "<|im_start|>",
            "<|begin_of_box|>",
            "<｜User｜>",
            "<image>",
            "</think>",
            "<start_of_turn>",
            "<s>",
        ),
        *("<image_soft_token>", "<IMG_CONTEXT>", "<row_1_col_2>", "[INST]", "[/INST]", "[gMASK]", "<<SYS>>"),
    ],
)
def test_a_control_token_is_broken_and_stays_readable(token: str) -> None:
    broken = neutralise_known(f"a {token} b")
    assert broken == f"a {token[0]} {token[1:]} b"
    assert neutralise_known(broken) == broken


@pytest.mark.parametrize(
    "text", ["a < b and c > d", "<div>", "x <| y |> z", "List[INSTANCE]", "1 << 2", "<b>bold</b>", "f(a)[0]"]
)
def test_other_words_stay_as_they_are(text: str) -> None:
    assert neutralise_known(text) == text


def test_lone_surrogates_can_be_sent() -> None:
    assert neutralise_known("a\ud800b").encode()


@pytest.mark.parametrize(
    ("data", "begins"),
    [(b"\x89PNG\r\n\x1a\n123", "data:image/png;base64,iVBOR"), (b"\xff\xd8\xff\xe0", "data:image/jpeg;base64,/9j/4")],
)
def test_a_picture_is_named_by_its_first_bytes(data: bytes, begins: str) -> None:
    assert data_url(Picture("k", data, 8, 8)).startswith(begins)


def test_bytes_that_are_no_picture_are_not_sent() -> None:
    with pytest.raises(PictureFormatNotAllowed):
        data_url(Picture("k", b"<html>", 8, 8))


def request(**sampling: Any) -> Request:
    return Request("r", (Message("user", "x"),), Sampling(**sampling))


def test_only_knobs_that_were_turned_are_sent() -> None:
    always = {"temperature", "max_tokens", "stream_options", "thinking", "chat_template_kwargs"}
    assert set(chat_fields(request(), 999, "vllm")) == always
    turned = {"top_p": 0.5, "top_k": 3, "repetition_penalty": 1.2, "seed": 0}
    assert chat_fields(request(**turned), 999, "vllm").items() >= turned.items()
    assert chat_fields(request(**turned), 999, "llamacpp")["repeat_penalty"] == 1.2
    assert chat_fields(request(max_new_tokens=512), 100, "vllm")["max_tokens"] == 100


def refusal(status: int, body: object, **headers: str) -> Refusal:
    response = httpx2.Response(status, request=httpx2.Request("POST", "http://h/v1"), headers=headers)
    return Refusal.of(APIStatusError("…", response=response, body=body), "geheim")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "No.\nNever.", "code": 400}, "No. Never."),
        ({"error": {"message": "No."}}, "No."),
        (
            {"detail": [{"loc": ["body"], "msg": "Field required", "input": "words of people"}]},
            "['body']: Field required",
        ),
        ("1 error: {'msg': 'wrong', 'input': {'content': 'words of people'}}", "1 error: {'msg': 'wrong', "),
        ({"error": {"message": "bad url data:image/png;base64," + "A" * 99}}, "bad url …"),
        ("<html><h1>413</h1></html>", ""),
        ({"error": {"message": "the key geheim is wrong"}}, "the key … is wrong"),
        (None, ""),
    ],
)
def test_what_a_server_says_is_told_in_short_without_keys_and_words_of_people(body: object, words: str) -> None:
    assert refusal(400, body).words == words


@pytest.mark.parametrize(
    ("said", "counted", "context"),
    [
        (
            "maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the messages, …",
            112946,
            16384,
        ),
        ("maximum context length of 1024 tokens and your request has 800 input tokens (512 > 1024 - 800)", 800, 1024),
        ("request (9412 tokens) exceeds the available context size (8192 tokens), try increasing it", 9412, 8192),
        ("The input (691,793 tokens) is longer than the model's context length (540000 tokens).", 691793, 540000),
        ("prompt is too long", None, None),
    ],
)
def test_numbers_in_refusals_for_length(said: str, counted: int | None, context: int | None) -> None:
    found = refusal(400, {"message": said})
    assert found.too_long
    assert (found.counted, found.context_tokens) == (counted, context)


def test_a_limit_of_tokens_a_minute_is_no_limit_of_the_prompt() -> None:
    assert not refusal(429, {"message": "Rate limit: too many tokens per minute"}).too_long


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None)],
)
def test_when_to_come_again(value: str, seconds: float | None) -> None:
    assert refusal(429, {}, **{"retry-after": value}).after_s == seconds


def test_waits_grow_and_end() -> None:
    waits = Waits(first_s=1.0, longest_s=4.0)
    retries = Retries(waits, limit_s=100.0)
    found = [retries.wait() for _ in range(4)]
    assert all(w is not None and 0.75 * base <= w <= 1.25 * base for w, base in zip(found, (1, 2, 4, 4), strict=True))
    assert retries.wait(200.0) is None
    assert retries.wait(2.0) == 2.0
    assert Retries(waits, limit_s=0.5).wait() is None
    assert [Retries(waits, 100.0).wait(0.0, broke=True) for _ in range(2)] == [0.0, 0.0]
