"""The part of a text in which something was found, and what was found in it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

AROUND = 90
LONGEST = 240
# No further: a question may be long, and the words stand somewhere in what was indexed anyway.
LOOKED_AT = 50_000


class Piece(NamedTuple):
    """A part of a text; `found` where it is what was looked for."""

    text: str
    found: bool


def snippet(text: str, runs: Sequence[str]) -> list[Piece]:
    """About `LONGEST` characters of `text` around the first of the runs in it, else its beginning."""
    pattern = re.compile("|".join(re.escape(run) for run in sorted(runs, key=len, reverse=True)) or r"(?!)", re.I)
    first = pattern.search(text, 0, LOOKED_AT)
    start = max(0, first.start() - AROUND) if first is not None else 0
    if start:
        # From the beginning of a word, where one is near.
        space = text.find(" ", start, start + 20)
        start = space + 1 if space >= 0 else start
    cut = text[start : start + LONGEST]
    pieces = [Piece("…", False)] if start else []
    at = 0
    for match in pattern.finditer(cut):
        pieces += [Piece(cut[at : match.start()], False), Piece(match[0], True)]
        at = match.end()
    pieces.append(Piece(cut[at:] + ("…" if start + LONGEST < len(text) else ""), False))
    return [piece for piece in pieces if piece.text]
