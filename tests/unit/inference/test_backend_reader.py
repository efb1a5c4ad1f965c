"""Boxes in what a server streams."""

from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from core.conversation.boxes import Box
from core.inference.openai_backend.reader import AnswerReader, box_pixels
from core.inference.port import Delta, Message, Picture, Request, Started


def chunk(end: str | None = None, **delta: str) -> ChatCompletionChunk:
    choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": end}
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return ChatCompletionChunk.model_validate({**head, "choices": [choice]})


def test_boxes_in_thinking_and_in_the_answer() -> None:
    reader = AnswerReader(Started(1), ())
    box = "<|begin_of_box|>[[100,200,300,400]]<|end_of_box|>"
    said: list[Any] = []
    for part in (chunk(reasoning_content=f"at {box[:20]}"), chunk(reasoning_content=box[20:]), chunk(content="cat: ")):
        said += reader.add(part)
    for part in (chunk(content=box[:9]), chunk(content=box[9:]), chunk(end="stop")):
        said += reader.add(part)
    said += reader.held()

    def text(kind: str) -> str:
        return "".join(delta.text for delta in said if isinstance(delta, Delta) and delta.kind == kind)

    assert text("thinking") == "at (x 10–30 %, y 20–40 %)"
    assert text("answer") == "cat: (x 10–30 %, y 20–40 %)"
    assert reader.finished(1.0).boxes == (Box("cat", 0.1, 0.2, 0.3, 0.4),)


@pytest.mark.parametrize(
    ("model", "pixels"),
    [("Qwen/Qwen2.5-VL-7B-Instruct", (640, 480)), ("qwen2_5_vl", (640, 480)), ("Qwen/Qwen3-VL-8B", None)],
)
def test_pixels_in_which_a_served_model_counts(model: str, pixels: tuple[int, int] | None) -> None:
    pictures = (Picture("1", b"", 10, 10), Picture("2", b"", 640, 480))
    assert box_pixels(model, Request("1", (Message("user", "Where?", pictures),))) == pixels
    assert box_pixels(model, Request("1", (Message("user", "Where?"),))) is None
