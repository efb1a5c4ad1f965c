"""Long answers in pieces that a platform takes: cut at paragraphs, else at lines, sentences, words."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

# Below this there is no room for a code block and anything in it.
LEAST = 200
_FENCE = re.compile(r"^ {0,3}(?P<mark>`{3,12}|~{3,12})(?P<info>[^\n`]{0,60})$", re.MULTILINE)
_LONGEST_CLOSING = 13
_LINE = re.compile(r"\n")
# Where a piece may end, best first: behind a match of one of these.
_BORDERS = (
    re.compile(r"\n[ \t]*\n[ \t\n]*"),
    _LINE,
    re.compile(r"[.!?…][\"'”’)\]]*\s+|[。！？；][”’）」』]*"),
    re.compile(r"\s+"),
)
# A better kind of border is not taken if it leaves so much of a piece empty.
_LEAST_FILLED = 0.4
_LONGEST_CLUSTER = 32
_ZERO_WIDTH_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text. All `text` together are the whole; `opening` and `closing` mend a code block cut in two."""

    text: str
    opening: str = ""
    closing: str = ""

    @property
    def shown(self) -> str:
        """What to send; empty where there is nothing to see."""
        body = self.text.strip("\n")
        return f"{self.opening}{body}{self.closing}" if body.strip() else ""


class _Fence(NamedTuple):
    """A code block: its first line, where that begins and ends, and where the block ends with its closing line."""

    line: str
    mark: str
    begin: int
    inside: int
    close: int
    end: int


def utf16_units(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text) + sum(character > "\uffff" for character in text)


def split(text: str, limit: int, measure: Callable[[str], int] = len) -> list[Piece]:
    """`text` in pieces, each of which, as shown, is at most `limit` long by `measure`; one piece for an empty text.

    `measure` must not count less for a longer text.

    Raises:
        ValueError: `limit` is below `LEAST`.
    """
    if limit < LEAST:
        raise ValueError(f"pieces shorter than {LEAST} cannot be made, so not of {limit}")
    return list(_pieces(text, limit, measure))


def _pieces(text: str, limit: int, measure: Callable[[str], int]) -> Iterator[Piece]:
    fences = _fences(text)
    at, opening = 0, ""
    while measure(opening) + measure(text[at : at + limit + 1]) > limit:
        room = limit - measure(opening) - _LONGEST_CLOSING
        end = _end(text, at, at + _longest(text[at : at + room], room, measure), fences)
        fence = next((f for f in fences if f.inside < end <= f.close), None)
        if fence is None:
            yield Piece(text[at:end], opening)
            opening = ""
        else:
            yield Piece(text[at:end], opening, f"\n{fence.mark}")
            opening = f"{fence.line}\n"
        at = end
    yield Piece(text[at:], opening)


def _fences(text: str) -> list[_Fence]:
    found: list[_Fence] = []
    at = 0
    while (begin := _FENCE.search(text, at)) is not None:
        mark = begin["mark"]
        end = close = len(text)
        at = begin.end()
        for line in _FENCE.finditer(text, at):
            if line["mark"].startswith(mark) and not line["info"].strip():
                close, end = line.start(), line.end()
                break
        found.append(_Fence(begin[0], mark, begin.start(), begin.end(), close, end))
        at = end
    return found


def _longest(text: str, room: int, measure: Callable[[str], int]) -> int:
    """How many characters of `text` fit into `room`, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return low


def _end(text: str, at: int, window: int, fences: list[_Fence]) -> int:
    """Where the piece that begins at `at` ends: behind it, and at `window` at the latest."""
    least = at + int((window - at) * _LEAST_FILLED)
    nearest = 0
    for border in _BORDERS:
        ends = [match.end() for match in border.finditer(text, at, window)]
        end = next((e for e in reversed(ends) if _may_cut(e, fences, lines=border is _LINE)), at)
        if end > least:
            return end
        nearest = nearest or max(0, end - at)
    return at + nearest if nearest else _anywhere(text, at, window, fences)


def _may_cut(end: int, fences: list[_Fence], *, lines: bool) -> bool:
    """Whether `end` is outside of code, or, for borders of `lines`, between two lines of it."""
    fence = next((f for f in fences if f.begin < end < f.end), None)
    return fence is None or (lines and fence.inside + 1 < end < fence.close)


def _anywhere(text: str, at: int, window: int, fences: list[_Fence]) -> int:
    """The last resort: in the middle of a word, but not of a character that is made of several, nor of a fence."""
    for fence in fences:
        if fence.begin < window <= fence.inside + 1 and fence.begin > at:
            return fence.begin
        if fence.close < window < fence.end and fence.close > at:
            return fence.close
    for end in range(window, max(at, window - _LONGEST_CLUSTER), -1):
        if not _joined(text[end - 1], text[end]):
            return end
    return window


def _joined(before: str, after: str) -> bool:
    """Whether these two code points belong to one character (about: emoji sequences, accents, flags)."""
    if before == _ZERO_WIDTH_JOINER or after == _ZERO_WIDTH_JOINER or unicodedata.category(after) in ("Mn", "Me"):
        return True
    return "\U0001f3fb" <= after <= "\U0001f3ff" or all("\U0001f1e6" <= c <= "\U0001f1ff" for c in (before, after))
