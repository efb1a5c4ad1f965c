"""Token ids to text, as they come."""

from collections.abc import Callable, Sequence

_INCOMPLETE = "�"


class Detokeniser:
    """Turns ids into text one by one. Each piece is complete: no character is ever cut in two.

    `decode` gives the text of several ids; `hidden` are ids that stand for no text.
    """

    def __init__(self, decode: Callable[[list[int]], str], hidden: frozenset[int] = frozenset()) -> None:
        self._decode = decode
        self._hidden = hidden
        self._ids: list[int] = []
        # ids[_context:_read] were given out already and are decoded again for the sake of spaces between words;
        # ids[_read:] wait for the rest of their character.
        self._context = 0
        self._read = 0

    def add(self, id: int) -> str:
        """The text that `id` completes; empty while a character is incomplete."""
        if id in self._hidden:
            return ""
        self._ids.append(id)
        before, after = self._texts()
        if after.endswith(_INCOMPLETE) or len(after) <= len(before):
            return ""
        self._context, self._read = self._read, len(self._ids)
        return after[len(before) :]

    def end(self) -> str:
        """What was still held back, without an incomplete character at its end."""
        before, after = self._texts()
        self._read = len(self._ids)
        return after.rstrip(_INCOMPLETE)[len(before) :]

    def _texts(self) -> tuple[str, str]:
        return self._decode(self._ids[self._context : self._read]), self._decode(self._ids[self._context :])


class StopStrings:
    """Cuts a stream of text before the first of some strings, however the pieces split it.

    Once one was `hit`, `rest` is what came behind it in the same piece.
    """

    def __init__(self, strings: Sequence[str]) -> None:
        self._strings = tuple(string for string in strings if string)
        self._held = ""
        self.hit = False
        self.rest = ""

    def add(self, text: str) -> str:
        """What is now known to stand before any stop string. Nothing more comes once one was `hit`."""
        if self.hit or not text:
            return ""
        text = self._held + text
        found = [(at, string) for string in self._strings if (at := text.find(string)) >= 0]
        if found:
            at, string = min(found)
            self.hit, self.rest, self._held = True, text[at + len(string) :], ""
            return text[:at]
        keep = max((_overlap(text, string) for string in self._strings), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def end(self) -> str:
        """What was held back in case a stop string came."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, string: str) -> int:
    """The length of the longest end of `text` that is a beginning of `string`, but not all of it."""
    return next((n for n in range(min(len(text), len(string) - 1), 0, -1) if text.endswith(string[:n])), 0)
