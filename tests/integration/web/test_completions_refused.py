"""What the REST API refuses, in OpenAI's shape, and that nothing of it reaches SQL."""

import base64
import json
from contextlib import ExitStack
from typing import Any

import httpx
import openai
import pytest

from tests.integration.web.site import Site, picture, serving
from tests.processes import Installation

MODEL = "scripted:echo"
PATH = "/v1/chat/completions"


def data_url(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def with_picture(*urls: Any) -> dict[str, Any]:
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "What?"}, *parts]}]}


def said(**message: Any) -> dict[str, Any]:
    return {"messages": [message]}


QUESTION = said(role="user", content="What?")
REFUSED = [
    ({}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": "What?"}, "messages"),
    ({"messages": [7]}, "messages[0]"),
    ({"messages": [{"role": "user", "content": "x"}] * 1001}, "messages"),
    (said(role="user"), "messages[0].content"),
    (said(role="user", content=7), "messages[0].content"),
    (said(role="user", content=[7]), "messages[0].content[0]"),
    (said(role="user", content=[{"type": "text"}]), "messages[0].content[0].text"),
    (said(role="user", content=[{"type": "input_audio", "input_audio": {}}]), "messages[0].content[0].type"),
    (said(role="user", content=[{"type": "image_url"}]), "messages[0].content[0].image_url"),
    (said(role="user", content=[{"type": "image_url", "image_url": {"url": 7}}]), "messages[0].content[0].image_url"),
    (said(role="tool", content="x", tool_call_id="1"), "messages[0].role"),
    (said(role="assistant", content="I began."), "messages"),
    (said(role="system", content="Be brief."), "messages"),
    (said(role="system", content="x" * 32_001), "messages"),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "1"}]}, *QUESTION["messages"]]},
        "messages[0].tool_calls",
    ),
    (
        {
            "messages": [
                {"role": "system", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]},
                *QUESTION["messages"],
            ]
        },
        "messages[0].content[0]",
    ),
    (
        {
            "messages": [
                {"role": "user", "content": "x"},
                {"role": "assistant", "content": "y" * 1_000_000},
                *QUESTION["messages"],
            ]
        },
        "messages",
    ),
    ({**QUESTION, "n": 2}, "n"),
    ({**QUESTION, "n": True}, "n"),
    ({**QUESTION, "tools": [{"type": "function"}]}, "tools"),
    ({**QUESTION, "response_format": {"type": "json_object"}}, "response_format"),
    ({**QUESTION, "modalities": ["text", "audio"]}, "modalities"),
    ({**QUESTION, "logprobs": True}, "logprobs"),
    ({**QUESTION, "frequency_penalty": 0.5}, "frequency_penalty"),
    ({**QUESTION, "stream": "yes"}, "stream"),
    ({**QUESTION, "stream_options": 1}, "stream_options"),
    ({**QUESTION, "max_tokens": 0}, "max_tokens"),
    ({**QUESTION, "max_tokens": 1.5}, "max_tokens"),
    ({**QUESTION, "max_tokens": True}, "max_tokens"),
    ({**QUESTION, "temperature": 2.1}, "temperature"),
    ({**QUESTION, "temperature": "hot"}, "temperature"),
    ({**QUESTION, "top_p": -0.1}, "top_p"),
    ({**QUESTION, "top_k": 0.5}, "top_k"),
    ({**QUESTION, "repetition_penalty": 0}, "repetition_penalty"),
    ({**QUESTION, "seed": 2**63}, "seed"),
    ({**QUESTION, "user": 7}, "user"),
    ({**QUESTION, "user": "x" * 101}, "user"),
    ({**QUESTION, "user": "a\nb"}, "user"),
    ({**QUESTION, "stop": [""]}, "stop"),
    ({**QUESTION, "stop": ["a", "b", "c", "d", "e"]}, "stop"),
    ({**QUESTION, "stop": "x" * 101}, "stop"),
    ({**QUESTION, "stop": {"a": 1}}, "stop"),
    (with_picture("data:image/png,plain"), "messages[0].content[1].image_url"),
    (with_picture("data:image/png;base64"), "messages[0].content[1].image_url"),
    (with_picture("data:image/png;base64,"), "messages[0].content[1].image_url"),
    (with_picture("data:image/png;base64,####"), "messages[0].content[1].image_url"),
    (with_picture("data:image/png;base64,iVBORw0"), "messages[0].content[1].image_url"),
    (with_picture("data:image/png;base64,ä"), "messages[0].content[1].image_url"),
    (with_picture(base64.b64encode(picture()).decode()), "messages[0].content[1].image_url"),
    (with_picture("file:///etc/passwd"), "messages[0].content[1].image_url"),
    (with_picture("http://127.0.0.1/a.png"), "messages[0].content[1].image_url"),
    (with_picture("https://example.org/a.png"), "messages[0].content[1].image_url"),
]


@pytest.mark.parametrize(("body", "parameter"), REFUSED, ids=[f"{n}-{p}" for n, (_, p) in enumerate(REFUSED)])
def test_a_wrong_field_is_named(site: Site, body: dict[str, Any], parameter: str) -> None:
    before = site.turns()
    response = site.program().post(PATH, json={"model": MODEL, **body})
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", parameter)
    assert error["message"]
    assert error["code"]
    assert site.turns() == before


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1]", b'"x"', b"\xff\xfe", b'{"model": NaN}', b'{"a":' * 50_000, b'{"seed": ' + b"9" * 5000 + b"}"],
)
def test_a_body_that_is_no_json_object(site: Site, body: bytes) -> None:
    response = site.program().post(PATH, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_another_content_type_is_refused(site: Site) -> None:
    # A form of another site's page may send text/plain without asking first.
    body = json.dumps({"model": MODEL, **QUESTION})
    response = site.program().post(PATH, content=body, headers={"content-type": "text/plain"})
    assert response.status_code == 400
    assert "application/json" in response.json()["error"]["message"]


def test_another_model_does_not_exist(site: Site) -> None:
    with pytest.raises(openai.NotFoundError, match="scripted:echo") as caught:
        site.openai().chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "What?"}])
    assert caught.value.code == "model_not_found"


def test_an_unreadable_picture_is_named_with_its_reason(site: Site) -> None:
    before = site.turns()
    body = with_picture(data_url(picture()), data_url(b"<html></html>"), data_url(picture("blue")))
    response = site.program().post(PATH, json={"model": MODEL, **body})
    message = response.json()["error"]["message"]
    assert response.status_code == 400
    assert message.startswith("Picture 2 (messages[0].content[2].image_url): This kind of file is not supported")
    assert site.turns() == before


def test_pictures_of_earlier_messages_count_as_well(site: Site) -> None:
    body: dict[str, Any] = with_picture(data_url(b"%PDF-nonsense"))
    body["messages"] += [{"role": "assistant", "content": "Hm."}, {"role": "user", "content": "And now?"}]
    response = site.program().post(PATH, json={"model": MODEL, **body})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "messages[0].content[1].image_url"


def test_the_question_and_its_pictures_are_limited(site: Site) -> None:
    long = site.program().post(PATH, json=said(role="user", content="x" * (site.settings.question_max_chars + 1)))
    assert (long.status_code, long.json()["error"]["code"]) == (400, "question_too_long")
    empty = site.program().post(PATH, json=said(role="user", content="  "))
    assert (empty.status_code, empty.json()["error"]["code"]) == (400, "empty_question")
    # Counted before any is decoded: none of these is a picture.
    many = site.program().post(PATH, json=with_picture(*[data_url(b"nothing")] * 11))
    assert (many.status_code, many.json()["error"]["code"]) == (400, "too_many_pictures")
    assert many.json()["error"]["message"] == "The question has 11 pictures. Please send at most 10 with one."


def test_a_large_picture_is_refused_before_it_is_decoded(at: Installation) -> None:
    with serving(at, picture_max_bytes=1000) as small:
        response = small.program().post(PATH, json=with_picture("data:image/png;base64," + "A" * 4000))
    assert response.status_code == 400
    assert "larger than 1000 bytes. Please send a smaller version." in response.json()["error"]["message"]


def test_a_full_queue_is_told_with_a_time_to_wait(fresh: Installation) -> None:
    with serving(fresh, waiting_total=1) as full:
        client: Any = full.openai(max_retries=0)
        first = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "First in?"}], stream=True
        )
        next(iter(first))
        with pytest.raises(openai.RateLimitError, match="waiting") as caught:
            client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Second in?"}])
        assert caught.value.code == "busy"
        assert int(caught.value.response.headers["retry-after"]) > 0
        full.take("First in?").answer("Yes")
        assert [c.choices[0].finish_reason for c in first][-1] == "stop"


def test_odd_characters_are_taken_without_harm(site: Site) -> None:
    # A lone surrogate and NUL: legal in JSON, storable in no database.
    body = b'{"messages":[{"role":"user","content":"Odd \\ud800\\u0000?"}],"stream":true}'
    headers = {"content-type": "application/json"}
    with site.program().stream("POST", PATH, content=body, headers=headers) as response:
        assert response.status_code == 200
        site.take("Odd \ufffd?").answer("Yes")
        assert "data: [DONE]" in list(response.iter_lines())


def test_an_idempotency_key_of_any_length_is_not_taken(site: Site) -> None:
    response = site.program().post(PATH, json=QUESTION, headers={"idempotency-key": "x" * 256})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "Idempotency-Key")


def test_an_idempotency_key_is_for_one_request_of_one_end_user(site: Site) -> None:
    key = {"idempotency-key": "once-2"}

    def ask(question: str, **fields: str) -> httpx.Response:
        body = {**said(role="user", content=question), "stream": True, **fields}
        with site.program().stream("POST", PATH, json=body, headers=key) as response:
            if response.status_code == 200:
                # The first chunk, which has the turn's id.
                next(response.iter_lines())
            else:
                response.read()
            return response

    before = site.turns()
    assert ask("Eva's?", user="eva").status_code == 200
    assert ask("Eva's?", user="eva").status_code == 200
    assert site.turns() == before + 1
    # The same key is another one in the hands of another end user, or of the program itself.
    assert ask("Eva's?", user="max").status_code == 200
    assert ask("Eva's?").status_code == 200
    assert site.turns() == before + 3
    refused = ask("Something else?", user="eva")
    assert (refused.status_code, refused.json()) == (
        400,
        {
            "error": {
                "message": "This Idempotency-Key was used for another request. Use a new one.",
                "type": "invalid_request_error",
                "param": None,
                "code": "idempotency_key_reused",
            }
        },
    )
    assert site.turns() == before + 3


def test_end_users_have_room_of_their_own_and_a_key_half_of_all(fresh: Installation) -> None:
    with serving(fresh, waiting_per_person=1, waiting_total=4) as site, ExitStack() as stack:

        def ask(**fields: str) -> httpx.Response:
            body = {**said(role="user", content="Room?"), "stream": True, **fields}
            return stack.enter_context(site.program().stream("POST", PATH, json=body))

        assert ask(user="eva").status_code == 200
        busy = ask(user="eva")
        assert (busy.status_code, busy.headers["retry-after"]) == (429, "3")
        assert "wait for an answer first" in json.loads(busy.read())["error"]["message"]
        assert [ask().status_code for _ in range(2)] == [200, 200]
        full = ask()
        assert full.status_code == 429
        assert "send fewer at once" in json.loads(full.read())["error"]["message"]
        assert ask(user="max").status_code == 200


def test_unknown_addresses_and_methods_have_the_same_shape(site: Site) -> None:
    nowhere = site.program().get("/v1/nothing")
    assert (nowhere.status_code, nowhere.json()["error"]["code"]) == (404, "not_found")
    assert "POST /v1/chat/completions" in nowhere.json()["error"]["message"]
    assert "v1" not in site.program().get("/nothing").json()["error"]["message"]
    wrong_method = site.program().get(PATH)
    assert (wrong_method.status_code, wrong_method.json()["error"]["type"]) == (405, "invalid_request_error")
