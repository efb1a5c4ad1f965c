"""The `openai` client, unchanged, against the whole service with the trained demo model."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI, Stream
from openai.types.chat import ChatCompletionChunk, ChatCompletionContentPartParam, ChatCompletionMessageParam

from core.inference.source import DEMO
from core.store.models import Conversation, Turn
from core.values import TurnState
from tests.processes import PATIENCE_S, Installation, installation, until

URL = "data:image/png;base64," + b64encode((DEMO / "sample.png").read_bytes()).decode()


def about_the_picture(question: str) -> ChatCompletionMessageParam:
    picture: ChatCompletionContentPartParam = {"type": "image_url", "image_url": {"url": URL}}
    return {"role": "user", "content": [picture, {"type": "text", "text": question}]}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Redis, worker with the demo model and bots."""
    folder: Path = tmp_path_factory.mktemp("openai")
    with installation(folder, model="demo") as made:
        made.start_worker()
        made.start_bots()
        yield made


@pytest.fixture(scope="module")
def client(service: Installation) -> OpenAI:
    url = f"http://{service.settings.host}:{service.settings.web_port}/v1"
    return OpenAI(base_url=url, api_key="no key was made", timeout=PATIENCE_S)


def text_of(stream: Stream[ChatCompletionChunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def test_a_streamed_question_and_a_follow_up_are_one_stored_conversation(service: Installation, client: OpenAI) -> None:
    asked = [about_the_picture("What is in the top left?")]
    first = text_of(client.chat.completions.create(model="demo", messages=asked, stream=True, user="ann"))
    asked += [{"role": "assistant", "content": first}, {"role": "user", "content": "What colour is it?"}]
    second = client.chat.completions.create(model="demo", messages=asked, user="ann")

    assert "star" in first.lower()
    assert "red" in (second.choices[0].message.content or "").lower()
    assert second.choices[0].finish_reason == "stop"
    assert second.usage is not None
    assert second.usage.prompt_tokens > second.usage.completion_tokens > 0

    def delivered() -> list[Turn]:
        with service.store.read() as repositories:
            (conversation,) = repositories.session.query(Conversation)
            turns = repositories.turns.of_conversation(conversation.id)
        return turns if all(turn.state == TurnState.DELIVERED for turn in turns) else []

    turns = until(delivered, "both answers are noted as delivered")
    assert [turn.question for turn in turns] == ["What is in the top left?", "What colour is it?"]
    assert [len(turn.attachments) for turn in turns] == [1, 0]


def test_the_follow_up_needs_the_history(client: OpenAI) -> None:
    """The same words about the other thing, after another first answer: only the history tells them apart."""
    asked = [about_the_picture("What is in the top right?")]
    first = client.chat.completions.create(model="demo", messages=asked)
    asked += [
        {"role": "assistant", "content": first.choices[0].message.content or ""},
        {"role": "user", "content": "What colour is it?"},
    ]
    second = client.chat.completions.create(model="demo", messages=asked)

    assert "circle" in (first.choices[0].message.content or "").lower()
    assert "blue" in (second.choices[0].message.content or "").lower()


def test_the_served_model_is_listed(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["demo"]
