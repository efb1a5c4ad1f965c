"""What lies in each image token, for the helper head: told this densely, the vision tower learns shapes and letters in
a few hundred steps, where answers alone would take thousands. Nothing of it is shipped.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .lexicon import COLOURS, PRODUCTS, SHAPES, SIGNS
from .picture import Drawn, Grid

SLOTS = 6
"""Letters of one image token that are asked for, in the order in which they were printed."""
CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$€£.+-×=?"
NAMES = (*SHAPES, *PRODUCTS, *SIGNS, "tag", "bar")
COLOUR_NAMES = tuple(COLOURS)
CLASSES = (len(CHARACTERS) + 1, len(NAMES) + 1, len(COLOUR_NAMES) + 1)
"""How many answers there are for a letter, a name and a colour; the last of each is "nothing"."""
_CHARACTER = {c: i for i, c in enumerate(CHARACTERS)}
_NAME = {n: i for i, n in enumerate(NAMES)}
_COLOUR = {c: i for i, c in enumerate(COLOUR_NAMES)}


def token_targets(drawn: Drawn, grid: Grid, glyphs: npt.NDArray[np.generic], marks: npt.NDArray[np.generic]) -> None:
    """Write what lies in each token of a picture, row by row: letters (tokens, SLOTS), name and colour (tokens, 2).
    Tokens behind the picture's last stay as they are."""
    rows, columns = grid
    glyphs[: rows * columns] = len(CHARACTERS)
    marks[: rows * columns] = (len(NAMES), len(COLOUR_NAMES))
    filled = [0] * (rows * columns)
    for glyph in drawn.glyphs:
        if not (0 <= glyph.x < 1 and 0 <= glyph.y < 1):
            continue
        token = int(glyph.y * rows) * columns + int(glyph.x * columns)
        if filled[token] < SLOTS:
            glyphs[token, filled[token]] = _CHARACTER.get(glyph.character.upper(), len(CHARACTERS))
            filled[token] += 1
    for mark in drawn.marks:
        token = min(rows - 1, max(0, int(mark.y * rows))) * columns + min(columns - 1, max(0, int(mark.x * columns)))
        marks[token] = (_NAME[mark.name], _COLOUR.get(mark.colour, len(COLOUR_NAMES)))
