"""What a scene is: things with properties, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
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
