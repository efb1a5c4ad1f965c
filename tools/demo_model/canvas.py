"""A picture in the making, which remembers what was drawn where.

The memory is for the helper head of training (`helper.py`): told what lies in each image token, the
vision tower learns to read in a few hundred steps. Coordinates handed in are pixels of the canvas.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from .fonts import FACES, UNSEEN_FACES, advance, font
from .lexicon import Rgb

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True)
class Glyph:
    """A printed character and its centre, in fractions of the picture."""

    character: str
    x: float
    y: float


@dataclass(frozen=True)
class Mark:
    """A drawn thing's name, colour and centre, in fractions of the picture."""

    name: str
    colour: str
    x: float
    y: float


@dataclass
class Canvas:
    """`image` is drawn on through `draw`; `rng` decides what the content does not. `unseen`: maybe in a typeface
    that training never shows. `rare`: characters will be printed that Pillow's own typeface lacks."""

    image: Image.Image
    rng: random.Random
    unseen: bool = False
    rare: bool = False
    glyphs: list[Glyph] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = ImageDraw.Draw(self.image)
        self.width, self.height = self.image.size
        self.side = min(self.image.size)
        self.face = self.pick_face()

    def pick_face(self) -> str:
        """A typeface for this picture."""
        if self.unseen and self.rng.random() < 0.5:
            return self.rng.choice(UNSEEN_FACES)
        return self.rng.choice(FACES[1:] if self.rare else FACES)

    def text_width(self, text: str, size: int) -> float:
        """Pixels that `text` takes across at `size` pixels."""
        return sum(advance(self.face, size, c) for c in text)

    def text(self, x: float, y: float, text: str, size: int, fill: Rgb, align: str = "m") -> float:
        """Print `text` with its middle line at `y`; `x` is its left (align "l"), middle ("m") or right ("r").
        Returns its width."""
        width = self.text_width(text, size)
        left = x - width * {"l": 0.0, "m": 0.5, "r": 1.0}[align]
        self.draw.text((left, y), text, fill=fill, font=font(self.face, size), anchor="lm")
        pen = left
        for character in text:
            step = advance(self.face, size, character)
            if character != " ":
                self.glyphs.append(Glyph(character, (pen + step / 2) / self.width, y / self.height))
            pen += step
        return width

    def fit(self, text: str, width: float, size: int) -> int:
        """The largest size up to `size` at which `text` is at most `width` pixels wide; at least 6."""
        while size > 6 and self.text_width(text, size) > width:
            size -= 1
        return size

    def mark(self, name: str, colour: str, box: Box) -> None:
        """Remember a thing whose box is in fractions of the picture."""
        self.marks.append(Mark(name, colour, (box[0] + box[2]) / 2, (box[1] + box[3]) / 2))
