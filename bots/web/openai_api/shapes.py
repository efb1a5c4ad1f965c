"""OpenAI's response objects, as plain JSON."""

from typing import Any

from core.store.models import Turn
from core.values import FinishReason

# What a client sees of why it ended; a stopped answer is an answer that ends here.
_FINISH = {FinishReason.LENGTH: "length"}


def completion(turn: Turn, model: str, created: int) -> dict[str, Any]:
    """A `chat.completion`: the whole answer at once."""
    message: dict[str, Any] = {"role": "assistant", "content": turn.answer, "refusal": None}
    if turn.thinking:
        message["reasoning_content"] = turn.thinking
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(turn)}
    return {**_head(turn.id, "chat.completion", model, created), "choices": [choice], "usage": usage(turn)}


class Chunks:
    """Makes the `chat.completion.chunk`s of one answer."""

    def __init__(self, turn_id: str, model: str, created: int, *, include_usage: bool) -> None:
        self._head = _head(turn_id, "chat.completion.chunk", model, created)
        # With include_usage every chunk has the field, and the last one its value.
        self._tail: dict[str, Any] = {"usage": None} if include_usage else {}

    def delta(self, delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
        """A piece of the answer."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self._head, "choices": [choice], **self._tail}

    def usage(self, turn: Turn) -> dict[str, Any]:
        """The chunk behind the last one."""
        return {**self._head, "choices": [], "usage": usage(turn)}


def usage(turn: Turn) -> dict[str, Any]:
    """Token counts; those of the pictures are part of the prompt's."""
    return {
        "prompt_tokens": turn.prompt_tokens,
        "completion_tokens": turn.completion_tokens,
        "total_tokens": turn.prompt_tokens + turn.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": turn.cached_tokens, "image_tokens": turn.picture_tokens},
    }


def finish_reason(turn: Turn) -> str:
    """`stop` or `length`."""
    return _FINISH.get(FinishReason(turn.finish_reason), "stop") if turn.finish_reason else "stop"


def _head(turn_id: str, kind: str, model: str, created: int) -> dict[str, Any]:
    return {"id": f"chatcmpl-{turn_id}", "object": kind, "created": created, "model": model}
