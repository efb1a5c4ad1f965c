"""Separates what a model thinks from what it answers, in the stream."""

from core.inference.detokenise import StopStrings
from core.inference.port import Delta

OPEN, CLOSE = "<think>", "</think>"
# GLM-4.1V puts the answer behind a thought between these.
_ANSWER, _ANSWER_END = "<answer>", "</answer>"


class ThinkingSplitter:
    """Sorts streamed text by `<think>…</think>` at its beginning; the tags may come in any pieces.

    `opened` says that the prompt itself ends with `<think>`. A thought that is never closed is all thinking. White
    space around the thought and before the answer is dropped, and so are `<answer>…</answer>` around the answer to a
    thought. Tags that come later are text like any other.
    """

    def __init__(self, opened: bool = False) -> None:
        self._thinking = _Thought() if opened else None
        # Text before it is known whether it begins with a tag.
        self._start: str | None = None if opened else ""
        self._wrapping = _Wrapping()
        self._answering = False

    def add(self, text: str) -> list[Delta]:
        """What `text` adds, in order; nothing empty."""
        if self._start is not None:
            text = self._start + text
            seen = text.lstrip()
            if OPEN.startswith(seen):
                self._start = text
                if seen != OPEN:
                    return []
            self._start = None
            if seen.startswith(OPEN):
                self._thinking, text = _Thought(), seen.removeprefix(OPEN)
        return self._sort(text)

    def end(self) -> list[Delta]:
        """What was still held back."""
        if self._thinking is not None:
            return _deltas("thinking", self._thinking.end())
        text, self._start = self._start or "", None
        return [*self._sort(text), *self._unwrapped(self._wrapping.end())]

    def _sort(self, text: str) -> list[Delta]:
        if self._thinking is None:
            return self._answered(text)
        thought, rest = self._thinking.add(text)
        if rest is None:
            return _deltas("thinking", thought)
        self._thinking = None
        self._wrapping.expect()
        return [*_deltas("thinking", thought), *self._answered(rest)]

    def _answered(self, text: str) -> list[Delta]:
        return self._unwrapped(self._wrapping.add(text))

    def _unwrapped(self, text: str) -> list[Delta]:
        if not self._answering:
            text = text.lstrip()
            self._answering = bool(text)
        return _deltas("answer", text)


class _Wrapping:
    """Takes `<answer>` off the beginning of a text, where it is expected, and then the first `</answer>` too."""

    def __init__(self) -> None:
        self._start: str | None = None
        self._close: StopStrings | None = None

    def expect(self) -> None:
        """It may come now."""
        self._start = ""

    def add(self, text: str) -> str:
        """What `text` adds without the tags, as far as it is no beginning of one."""
        if self._start is not None:
            text = self._start + text
            seen = text.lstrip()
            if seen != _ANSWER and _ANSWER.startswith(seen):
                self._start = text
                return ""
            self._start = None
            if seen.startswith(_ANSWER):
                self._close, text = StopStrings([_ANSWER_END]), seen.removeprefix(_ANSWER)
        if self._close is None:
            return text
        inner = self._close.add(text)
        if self._close.hit:
            inner, self._close = inner + self._close.rest, None
        return inner

    def end(self) -> str:
        """What was still held back."""
        text, self._start = self._start or "", None
        return text + (self._close.end() if self._close is not None else "")


class Trimmer:
    """Drops white space at the beginning and at the end of a stream of text."""

    def __init__(self) -> None:
        self._begun = False
        self._space = ""

    def add(self, text: str) -> str:
        """`text` with the white space before it, as far as more text follows it."""
        text = self._space + text if self._begun else text.lstrip()
        kept = text.rstrip()
        self._begun = self._begun or bool(kept)
        self._space = text[len(kept) :]
        return kept


class _Thought:
    """Text up to the closing tag."""

    def __init__(self) -> None:
        self._close = StopStrings([CLOSE])
        self._trim = Trimmer()

    def add(self, text: str) -> tuple[str, str | None]:
        """More of the thought, and what follows the closing tag once it came."""
        thought = self._trim.add(self._close.add(text))
        return thought, self._close.rest if self._close.hit else None

    def end(self) -> str:
        return self._trim.add(self._close.end())


def _deltas(kind: str, text: str) -> list[Delta]:
    if not text:
        return []
    return [Delta(text, "thinking") if kind == "thinking" else Delta(text)]
