"""What reading HTML and reading MarkdownV2 have in common."""

from __future__ import annotations

from tests.fakes.telegram.entities import units
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Json


class Reader:
    """One pass over `source`, which stands at `at`. `text` is what it has become so far, `length` UTF-16 code units."""

    def __init__(self, source: str) -> None:
        self.source, self.at = source, 0
        self.text: list[str] = []
        self.length = 0
        self.entities: list[Json] = []

    def add(self, text: str, step: int) -> None:
        """`text`, for so many characters of the source."""
        self.text.append(text)
        self.length += units(text)
        self.at += step

    def byte(self, at: int) -> int:
        """A place in the source as Telegram names it: in bytes."""
        return len(self.source[:at].encode())


def unparsable(why: str) -> Refusal:
    """What follows "can't parse entities: "."""
    return Refusal(f"can't parse entities: {why}")
