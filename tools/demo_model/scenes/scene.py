"""What a scene is: things with properties, before anything is drawn."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from tools.demo_model.canvas import Box
from tools.demo_model.lexicon import Rgb

GRID = 3
CELLS = GRID * GRID


@dataclass(frozen=True)
class Thing:
    """One thing of a scene. Empty, or -1, is what it does not have.

    `name`: its English name. `box`: where it is, in fractions of the picture. `cell`: that in words, a cell
    of the 3x3 grid. `price`: as printed. `value`: of a bar. `turn`: degrees. `rgb`: its shade, near
    `COLOURS[colour]`.
    """

    name: str
    box: Box
    cell: int = -1
    colour: str = ""
    pattern: str = ""
    price: str = ""
    value: int = -1
    turn: float = 0.0
    rgb: Rgb = (0, 0, 0)


@dataclass(frozen=True)
class Scene:
    """A picture's content. `style` seeds everything that the content leaves open, `layout` is how it is arranged.

    `facts` are what the whole says: "total", "store", "sum", "answer", "steps", "words". `unseen`: from what
    is kept out of training.
    """

    kind: str
    things: tuple[Thing, ...]
    style: int
    layout: int = 0
    unseen: bool = False
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def cell_of(x: float, y: float) -> int:
    """The cell of the 3x3 grid in which a point lies, given in fractions."""
    return min(2, int(x * GRID)) + GRID * min(2, int(y * GRID))


# Pairs of cells that lie two columns or two rows apart, so that what stands in them has room; all but one diagonal,
# which is kept out of training.
_PAIRS = tuple(
    (one, two)
    for one in range(CELLS)
    for two in range(one + 1, CELLS)
    if (abs(one % GRID - two % GRID) == 2 or abs(one // GRID - two // GRID) == 2) and (one, two) != (0, 8)
)


def spread(rng: random.Random, boxes: Sequence[Box]) -> tuple[Box, ...]:
    """`boxes`, each a little off its place and of another size; of two, both may stand in quite other cells."""
    if len(boxes) == 2 and rng.random() < 0.5:
        wide, high = (boxes[0][2] - boxes[0][0], boxes[0][3] - boxes[0][1])
        if max(wide, high) <= 0.5:
            pair = rng.choice(_PAIRS)
            boxes = [_in_cell(cell, min(wide, 0.46), min(high, 0.42)) for cell in pair]
    slack = 0.05 if len(boxes) < 3 else 0.015
    return tuple(_nudged(rng, box, slack) for box in boxes)


def _in_cell(cell: int, wide: float, high: float) -> Box:
    x = (wide / 2 + 0.02, 0.5, 1 - wide / 2 - 0.02)[cell % GRID]
    y = (high / 2 + 0.03, 0.48, 1 - high / 2 - 0.06)[cell // GRID]
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _nudged(rng: random.Random, box: Box, slack: float) -> Box:
    left, top, right, bottom = box
    scale = rng.uniform(0.82, 1.0)
    wide, high = (right - left) * scale, (bottom - top) * scale
    x = (left + right) / 2 + rng.uniform(-slack, slack)
    y = (top + bottom) / 2 + rng.uniform(-slack, slack)
    x, y = min(max(x, wide / 2), 1 - wide / 2), min(max(y, high / 2), 1 - high / 2)
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2
