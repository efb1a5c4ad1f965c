"""From the chunks of a streamed answer to events."""

import re
from typing import Any

from core.errors import ContentRefused
from core.inference.answer import AnswerWords
from core.inference.openai_backend.refusal import Again
from core.inference.port import Delta, Event, Finished, Request, Started
from core.inference.thinking import Trimmer
from core.values import FinishReason

_REASONS = {
    **dict.fromkeys(("stop", "eos", "end_turn", "stop_sequence", "tool_calls", "function_call"), FinishReason.STOP),
    **dict.fromkeys(("length", "max_tokens", "model_context_window_exceeded"), FinishReason.LENGTH),
}
_COUNTS_PIXELS = re.compile(r"qwen-?2[._]5[-_]?vl", re.IGNORECASE)
_FILTERED = ("content_filter", "sensitive")


class AnswerReader:
    """Reads one answer. `guess` is what was told about the prompt before the server counted.

    Thinking comes in a field of its own (`reasoning_content`, or `reasoning`), or between tags in the text.
    `box_pixels` as `box_pixels` gives them.
    """

    def __init__(self, guess: Started, stop: tuple[str, ...], box_pixels: tuple[int, int] | None = None) -> None:
        self._guess = guess
        self._words = AnswerWords(stop=stop, box_pixels=box_pixels)
        self._thought = Trimmer()
        self._reason: FinishReason | None = None
        self._usage: Any = None
        self.deltas = 0

    @property
    def stopped(self) -> bool:
        """Whether a stop string came; what the server still says is not wanted."""
        return self._words.stopped

    @property
    def whole(self) -> bool:
        """Whether the answer has its end, whatever else the server still has to say."""
        return self._reason is not None

    def add(self, chunk: Any) -> list[Event]:
        """The events that a chunk brings.

        Raises:
            Again: it says that the server broke off.
            InferenceError: it says that there will be no answer.
            TypeError: it is no chunk of an answer.
        """
        self._usage = getattr(chunk, "usage", None) or self._usage
        events: list[Event] = []
        for choice in (chunk.choices or [])[:1]:
            if (delta := choice.delta) is not None:
                thought = _text(getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None))
                events += self._words.think(self._thought.add(thought))
                events += self._words.add(_text(delta.content or delta.refusal))
                # A delta is a token or a little more; it is counted even if its text is held back.
                self.deltas += 1
            if choice.finish_reason is not None:
                self._reason = _reason(choice.finish_reason)
            elif self._words.stopped:
                self._reason = FinishReason.STOP
        return events

    def held(self) -> list[Delta]:
        """What was held back in case a tag or a stop string came."""
        return self._words.end()

    def finished(self, seconds: float) -> Finished:
        """The end of an answer that is whole, `seconds` after its beginning."""
        assert self._reason is not None
        tokens = _count(self._usage, "completion_tokens") or self.deltas
        return Finished(self._reason, tokens, seconds, self._recount(), tuple(self._words.boxes))

    def _recount(self) -> Started | None:
        if not (counted := _count(self._usage, "prompt_tokens")):
            return None
        cached = _count(getattr(self._usage, "prompt_tokens_details", None), "cached_tokens")
        # Nobody tells how many of them are for pictures: the share that was estimated.
        pictures = counted * self._guess.picture_tokens // max(1, self._guess.prompt_tokens)
        return Started(counted, pictures, cached)


def box_pixels(model: str, request: Request) -> tuple[int, int] | None:
    """Width and height in which the served model counts boxes, where it counts in pixels at all.

    They are those of what the server made of the last picture: nearly the picture's own, if that was not too large.
    """
    pictures = [picture for message in request.messages for picture in message.pictures]
    if not pictures or not _COUNTS_PIXELS.search(model):
        return None
    return pictures[-1].width, pictures[-1].height


def _reason(name: str) -> FinishReason:
    if name in _FILTERED:
        raise ContentRefused(f"the backend ended the answer: {name}")
    if name not in _REASONS:
        # "abort", "network_error" …: what there is of the answer is not the answer.
        raise Again(f"the backend ended the answer: {str(name)[:40]}")
    return _REASONS[name]


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise TypeError(f"text as {type(value).__name__}")


def _count(holder: object, name: str) -> int:
    value = getattr(holder, name, None)
    return value if isinstance(value, int) else 0
