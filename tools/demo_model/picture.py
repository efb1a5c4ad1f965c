"""From a scene to pixels: drawn large, turned a little, then through what happens to pictures in chats."""

from __future__ import annotations

import io
import math
import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from .canvas import Box, Canvas, Glyph, Mark
from .scenes import KINDS, Scene
from .scenes.backgrounds import background
from .scenes.shapes import true_box

PATCH = 14
MERGE = 2
FACTOR = PATCH * MERGE
TOKENS = 64
"""The most image tokens (merged patches) that a picture in training has."""
# Image tokens between which the processor keeps any picture. Pixels count twice: Glm4v makes two frames of each.
MIN_PIXELS = 2 * FACTOR * FACTOR * 52
MAX_PIXELS = 2 * FACTOR * FACTOR * 68
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)

Grid = tuple[int, int]
"""Rows and columns of image tokens."""

GRIDS: tuple[Grid, ...] = ((8, 8), (7, 9), (9, 7), (6, 10), (10, 6), (6, 9), (9, 6))
GRID_WEIGHTS = (60, 11, 11, 6, 6, 3, 3)
TALL_WEIGHTS = (40, 4, 22, 2, 20, 2, 10)
# On these, cards and paper lie, so that the ground may be dark.
_DEEP = ("tags", "receipt", "words")
# Turned as a whole, by up to so many degrees. Shapes and products turn one by one.
_TURNS = {"tags": 6, "receipt": 10, "signs": 10, "board": 6, "words": 10, "chart": 3, "shapes": 10, "products": 8}


@dataclass(frozen=True)
class Drawn:
    """A drawn scene; glyphs, marks and the box of each thing are in fractions of the picture."""

    image: Image.Image
    glyphs: tuple[Glyph, ...]
    marks: tuple[Mark, ...]
    boxes: tuple[Box, ...]


def pick_grid(kind: str, rng: random.Random) -> Grid:
    """A grid for a scene: receipts are mostly tall."""
    return rng.choices(GRIDS, weights=TALL_WEIGHTS if kind == "receipt" else GRID_WEIGHTS)[0]


def draw(scene: Scene, size: tuple[int, int], turn: float | None = None) -> Drawn:
    """Draw `scene` at `size` pixels; always the same for the same scene and size. `turn` (degrees) replaces what
    the scene's style would turn it by."""
    rng = random.Random(scene.style)
    drawn_turn = _turn(scene, rng)
    angle = drawn_turn if turn is None else turn
    image = background(rng, size, deep=scene.kind in _DEEP)
    printed = "".join((*scene.facts.values(), *(t.price for t in scene.things)))
    canvas = Canvas(image, rng, scene.unseen, rare=any(c in printed for c in "€£×"))
    KINDS[scene.kind].paint(scene, canvas)
    boxes = [true_box(t, *size) if scene.kind == "shapes" else t.box for t in scene.things]
    if not angle:
        return Drawn(image, tuple(canvas.glyphs), tuple(canvas.marks), tuple(boxes))
    edge = image.getpixel((1, 1))
    turned = image.rotate(angle, resample=Image.Resampling.BILINEAR, fillcolor=edge)
    about = _Turn(angle, *size)
    glyphs = tuple(Glyph(g.character, *about.point(g.x, g.y)) for g in canvas.glyphs)
    marks = tuple(Mark(m.name, m.colour, *about.point(m.x, m.y)) for m in canvas.marks)
    # A round thing's box does not grow as its corners would: the box of a turned one is taken a little inside.
    return Drawn(turned, glyphs, marks, tuple(about.box(b) for b in boxes))


def _turn(scene: Scene, rng: random.Random) -> float:
    most = _TURNS.get(scene.kind, 0)
    return rng.uniform(-most, most) if rng.random() < 0.3 else 0.0


class _Turn:
    """Where points of a picture go when it is turned by `angle` degrees, counter-clockwise."""

    def __init__(self, angle: float, width: int, height: int) -> None:
        self._cos, self._sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        self._width, self._height = width, height

    def point(self, x: float, y: float) -> tuple[float, float]:
        dx, dy = (x - 0.5) * self._width, (y - 0.5) * self._height
        return (
            0.5 + (dx * self._cos + dy * self._sin) / self._width,
            0.5 + (dy * self._cos - dx * self._sin) / self._height,
        )

    def box(self, box: Box) -> Box:
        left, top, right, bottom = box
        x, y = self.point((left + right) / 2, (top + bottom) / 2)
        return x - (right - left) / 2, y - (bottom - top) / 2, x + (right - left) / 2, y + (bottom - top) / 2


def for_training(scene: Scene, grid: Grid, rng: random.Random) -> Drawn:
    """`scene` as the processor would hand it to the model: 28 pixels a grid cell, roughened."""
    scale = rng.uniform(1.15, 2.0)
    large = (int(grid[1] * FACTOR * scale), int(grid[0] * FACTOR * scale))
    drawn = draw(scene, large)
    image = roughen(drawn.image, rng)
    image = image.resize((grid[1] * FACTOR, grid[0] * FACTOR), Image.Resampling.BICUBIC)
    return Drawn(image, drawn.glyphs, drawn.marks, drawn.boxes)


def roughen(image: Image.Image, rng: random.Random) -> Image.Image:
    """What happens to a picture in chats: nothing, or JPEG, a smaller copy, blur, grain, other light."""
    if rng.random() < 0.12:
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.BILINEAR).resize(image.size)
    if rng.random() < 0.12:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.0) * min(image.size) / 224))
    if rng.random() < 0.3:
        gain, lift = rng.uniform(0.8, 1.1), rng.uniform(-14, 14)
        image = image.point([min(255, max(0, int(i * gain + lift))) for i in range(256)] * 3)
    if rng.random() < 0.2:
        image = noisy(image, rng, rng.uniform(3, 18))
    if rng.random() < 0.35:
        image = jpeg(image, rng.randint(35, 92))
    return image


_NOISE = np.random.default_rng(0).standard_normal(1 << 20).astype(np.float32)


def noisy(image: Image.Image, rng: random.Random, sigma: float) -> Image.Image:
    """Grain of standard deviation `sigma` (of 255)."""
    values = np.asarray(image, dtype=np.float32)
    start = rng.randrange(1 << 19)
    grain = np.resize(_NOISE[start : start + (1 << 19)], values.shape)
    return Image.fromarray((values + sigma * grain).clip(0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """A JPEG round trip."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def patches(image: Image.Image) -> npt.NDArray[np.uint8]:
    """The patches of a picture (a multiple of 28 pixels each way) in the merger's order: (N, 588), uint8, channels
    first within a patch; one frame only, since both frames of a picture are the same."""
    pixels = np.asarray(image, dtype=np.uint8)
    rows, columns = pixels.shape[0] // FACTOR, pixels.shape[1] // FACTOR
    blocks = pixels.reshape(rows, MERGE, PATCH, columns, MERGE, PATCH, 3)
    return np.ascontiguousarray(blocks.transpose(0, 3, 1, 4, 6, 2, 5)).reshape(-1, 3 * PATCH * PATCH)
