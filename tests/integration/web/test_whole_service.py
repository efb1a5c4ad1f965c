"""From HTTP through intake, queue and a real worker process, and back."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from core.values import TurnState
from tests.integration.web.site import Site, ask, following, picture, serving
from tests.processes import installation, until


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server and a worker with the scripted engine, which echoes."""
    with installation(tmp_path_factory.mktemp("live")) as made:
        made.start_worker()
        with serving(made) as site:
            yield site


@pytest.fixture
def chat(live: Site) -> Any:
    return live.openai(max_retries=0).chat.completions


def text(stream: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def test_asking_with_a_picture_and_continuing(live: Site, chat: Any) -> None:
    url = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
    first = {
        "role": "user",
        "content": [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}],
    }
    stream = chat.create(model="scripted:echo", messages=[first], stream=True)
    answer = text(stream)
    assert answer == "What is it? [1 picture]"
    follow_up = {"role": "user", "content": "And its colour?"}
    got = chat.create(model="scripted:echo", messages=[first, {"role": "assistant", "content": answer}, follow_up])
    assert got.choices[0].message.content == "And its colour?"
    # The first question, its picture and its answer are in the prompt of the second.
    assert got.usage.prompt_tokens > 64
    turn = live.turn(got.id.removeprefix("chatcmpl-"))
    with live.at.store.read() as repositories:
        turns = repositories.turns.of_conversation(turn.conversation_id)
    assert [t.question for t in turns] == ["What is it?", "And its colour?"]
    live.until_state(turn.id, TurnState.DELIVERED)


def test_a_failure_that_passes_is_not_seen(live: Site, chat: Any) -> None:
    stream = chat.create(
        model="scripted:echo", messages=[{"role": "user", "content": "Once [[fail-once]] only"}], stream=True
    )
    assert text(stream).startswith("Once")


def test_a_failure_that_stays_is_raised(live: Site, chat: Any) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        chat.create(model="scripted:echo", messages=[{"role": "user", "content": "Never [[fail]]"}])
    assert caught.value.code == "inference"
    stream = chat.create(model="scripted:echo", messages=[{"role": "user", "content": "Never [[fail]]"}], stream=True)
    with pytest.raises(openai.APIError):
        list(stream)


def test_leaving_a_stream_stops_the_engine(live: Site, chat: Any) -> None:
    stream = chat.create(model="scripted:echo", messages=[{"role": "user", "content": "Begin [[hang]]"}], stream=True)
    chunks = iter(stream)
    turn_id = next(chunks).id.removeprefix("chatcmpl-")
    assert next(chunks).choices[0].delta.content
    stream.close()
    assert live.until_state(turn_id, TurnState.CANCELLED).finish_reason == "cancelled"


def test_the_page_asks_follows_and_stops(live: Site) -> None:
    page: httpx.Client = live.visitor()
    asked = ask(page, "Page and worker?", ("a.png", picture())).json()
    with following(page, asked["turn"]["id"]) as events:
        end = list(events)[-1].data["turn"]
    assert end["answer"] == "Page and worker? [1 picture]"
    live.until_state(end["id"], TurnState.DELIVERED)

    hanging = ask(page, "Hanging [[hang]]", conversation_id=asked["conversation_id"]).json()["turn"]["id"]
    with following(page, hanging) as events:
        assert next(e for e in events if e.name == "text").data["text"]
        assert page.post(f"/api/turns/{hanging}/stop").json() == {"state": "running"}
        end = list(events)[-1].data["turn"]
    assert (end["state"], end["finish_reason"]) == ("cancelled", "cancelled")
    until(lambda: live.turn(hanging).delivered_at, "the end is noted as read")


def test_the_limit_of_tokens_reaches_the_engine(chat: Any) -> None:
    got = chat.create(
        model="scripted:echo", messages=[{"role": "user", "content": "One two [[tokens 50]]"}], max_tokens=3
    )
    assert got.choices[0].finish_reason == "length"
    assert got.choices[0].message.content == "word1 word2 word3"
    assert got.usage.completion_tokens == 3


def test_on_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    with installation(tmp_path, sql_url=postgresql_url) as made:
        made.start_worker()
        with serving(made) as site:
            page = site.visitor()
            asked = ask(page, "On \0PostgreSQL?", ("a\0.png", picture())).json()
            assert asked["turn"]["question"] == "On PostgreSQL?"
            with following(page, asked["turn"]["id"]) as events:
                assert list(events)[-1].data["turn"]["answer"] == "On PostgreSQL? [1 picture]"
            site.until_state(asked["turn"]["id"], TurnState.DELIVERED)
            (listed,) = page.get("/api/conversations").json()["conversations"]
            assert listed["title"] == "On PostgreSQL?"
            assert page.get(asked["turn"]["pictures"][0]["url"]).status_code == 200
            assert page.get("/api/conversations/%00").status_code == 404
            chat: Any = site.openai(max_retries=0).chat.completions
            stream = chat.create(
                model="scripted:echo", messages=[{"role": "user", "content": "Surrogate \ufffd?"}], stream=True
            )
            assert text(stream) == "Surrogate \ufffd?"
            assert site.program().get("/readyz").status_code == 200
