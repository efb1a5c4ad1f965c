"""Scenes of coloured shapes, and how they are drawn.

A scene is one to five shapes on a jittered 3x3 grid. All geometry is kept as fractions of the
picture, so that one scene can be drawn at any size: small for training, large for people.
Everything is drawn from a `random.Random`, hence the same seed gives the same picture.
"""

from __future__ import annotations

import io
import math
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

SHAPES = ("circle", "square", "triangle", "star", "diamond", "cross", "ring", "heart")

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 38, 38),
    "orange": (246, 132, 18),
    "yellow": (250, 212, 36),
    "green": (36, 156, 66),
    "blue": (36, 88, 216),
    "purple": (128, 52, 178),
    "pink": (246, 132, 190),
    "black": (28, 28, 32),
}

# Pale, so that every colour above stands out on every background.
BACKGROUNDS = (
    (255, 255, 255),
    (248, 246, 240),
    (235, 238, 242),
    (224, 236, 248),
    (226, 243, 228),
    (246, 236, 222),
    (240, 230, 244),
    (214, 216, 220),
)

GRID = 3
CELLS = GRID * GRID


@dataclass(frozen=True)
class Thing:
    """One shape of a scene.

    `x`, `y`: its centre, fractions of the picture's width and height.
    `radius`: half its extent, a fraction of the picture's shorter side.
    `turn`: its rotation in degrees. `rgb`: its exact shade, near `COLOURS[colour]`.
    """

    shape: str
    colour: str
    cell: int
    x: float
    y: float
    radius: float
    turn: float
    rgb: tuple[int, int, int]


@dataclass(frozen=True)
class Scene:
    """A picture's content. `things` are in reading order (by cell); `background` holds the shades
    at the top and at the bottom; `clutter` seeds meaningless marks, only where nothing else is."""

    things: tuple[Thing, ...]
    background: tuple[tuple[int, int, int], tuple[int, int, int]]
    clutter: int | None = None


def sample_scene(rng: random.Random, *, count: int | None = None) -> Scene:
    """Draw a scene. `count` fixes the number of shapes (0 to 5); left out, it is drawn at random."""
    if count is None:
        count = rng.choices((0, 1, 2, 3, 4, 5), weights=(2, 16, 24, 24, 19, 15))[0]
    top = rng.choice(BACKGROUNDS)
    bottom = rng.choice(BACKGROUNDS) if rng.random() < 0.25 else top
    if count == 0:
        return Scene((), (top, bottom), clutter=rng.randrange(1 << 30))
    if count == 1 and rng.random() < 0.35:
        large = _thing(rng, rng.choice(SHAPES), rng.choice(list(COLOURS)), 4, rng.uniform(0.18, 0.42))
        return Scene((large,), (top, bottom))
    # A narrow choice of shapes and colours makes repeats, without which counting would be trivial.
    shapes = SHAPES if rng.random() < 0.5 else rng.sample(SHAPES, 2)
    colours = list(COLOURS) if rng.random() < 0.5 else rng.sample(list(COLOURS), 2)
    cells = sorted(rng.sample(range(CELLS), count))
    things = tuple(_thing(rng, rng.choice(shapes), rng.choice(colours), cell, rng.uniform(0.1, 0.15)) for cell in cells)
    return Scene(things, (top, bottom))


def _thing(rng: random.Random, shape: str, colour: str, cell: int, radius: float) -> Thing:
    # Little enough that a centre keeps clear of the edges of image tokens, which lie at fifths.
    slack = max(0.015, min(0.03, 0.165 - radius))
    x = (cell % GRID + 0.5) / GRID + rng.uniform(-slack, slack)
    y = (cell // GRID + 0.5) / GRID + rng.uniform(-slack, slack)
    red, green, blue = (min(255, max(0, c + rng.randint(-10, 10))) for c in COLOURS[colour])
    return Thing(shape, colour, cell, x, y, radius, rng.uniform(-12, 12), (red, green, blue))


def render(scene: Scene, width: int, height: int, *, supersample: int = 1) -> Image.Image:
    """Draw `scene` as an RGB picture of `width` x `height` pixels, with edges smoothed by drawing
    `supersample` times larger."""
    w, h = width * supersample, height * supersample
    image = _background(scene, w, h)
    draw = ImageDraw.Draw(image)
    if scene.clutter is not None:
        _clutter(draw, random.Random(scene.clutter), w, h)
        image = image.filter(ImageFilter.GaussianBlur(min(w, h) / 150))
        draw = ImageDraw.Draw(image)
    for thing in scene.things:
        behind = image.getpixel((int(thing.x * w), int(thing.y * h)))
        assert isinstance(behind, tuple)
        _draw(draw, thing, w, h, behind)
    if supersample > 1:
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    return image


def _background(scene: Scene, w: int, h: int) -> Image.Image:
    top, bottom = scene.background
    if top == bottom:
        return Image.new("RGB", (w, h), top)
    column = Image.new("RGB", (1, 2))
    column.putpixel((0, 0), top)
    column.putpixel((0, 1), bottom)
    return column.resize((w, h), Image.Resampling.BILINEAR)


def _clutter(draw: ImageDraw.ImageDraw, rng: random.Random, w: int, h: int) -> None:
    """Thin strokes that form no shape: what a picture without shapes may look like."""
    for _ in range(rng.randint(0, 6)):
        grey = rng.randint(90, 190)
        tint = (grey + rng.randint(-25, 25), grey, grey + rng.randint(-25, 25))
        points = [(rng.uniform(0, w), rng.uniform(0, h)) for _ in range(rng.randint(2, 5))]
        draw.line(points, fill=tint, width=max(1, int(min(w, h) * rng.uniform(0.004, 0.015))))


def _draw(draw: ImageDraw.ImageDraw, thing: Thing, w: int, h: int, behind: tuple[int, ...]) -> None:
    cx, cy, r = thing.x * w, thing.y * h, thing.radius * min(w, h)
    if thing.shape in ("circle", "ring"):
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=thing.rgb)
        if thing.shape == "ring":
            hole = r * 0.56
            draw.ellipse((cx - hole, cy - hole, cx + hole, cy + hole), fill=behind)
        return
    angle = math.radians(thing.turn)
    cos, sin = math.cos(angle), math.sin(angle)
    draw.polygon(
        [(cx + r * (x * cos - y * sin), cy + r * (x * sin + y * cos)) for x, y in OUTLINES[thing.shape]],
        fill=thing.rgb,
    )


def _star() -> list[tuple[float, float]]:
    return [
        (radius * math.sin(math.pi * i / 5), -radius * math.cos(math.pi * i / 5))
        for i in range(10)
        for radius in ((1.08, 0.45)[i % 2],)
    ]


def _heart() -> list[tuple[float, float]]:
    points = []
    for i in range(40):
        t = 2 * math.pi * i / 40
        x = 16 * math.sin(t) ** 3
        y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((x / 16, -(y + 2.5) / 15))
    return points


# Unit outlines, y downwards. The diamond is narrow so that no turned square looks like it.
OUTLINES: dict[str, list[tuple[float, float]]] = {
    "square": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
    "triangle": [(0.0, -0.95), (1.0, 0.78), (-1.0, 0.78)],
    "diamond": [(0.0, -1.08), (0.68, 0.0), (0.0, 1.08), (-0.68, 0.0)],
    "cross": [
        (-0.32, -1.0),
        (0.32, -1.0),
        (0.32, -0.32),
        (1.0, -0.32),
        (1.0, 0.32),
        (0.32, 0.32),
        (0.32, 1.0),
        (-0.32, 1.0),
        (-0.32, 0.32),
        (-1.0, 0.32),
        (-1.0, -0.32),
        (-0.32, -0.32),
    ],
    "star": _star(),
    "heart": _heart(),
}


def roughen(image: Image.Image, rng: random.Random) -> Image.Image:
    """What happens to a picture on its way through chats: sometimes a JPEG or WebP round trip."""
    chance = rng.random()
    if chance > 0.4:
        return image
    buffer = io.BytesIO()
    image.save(buffer, "JPEG" if chance < 0.3 else "WEBP", quality=rng.randint(55, 95))
    return Image.open(buffer).convert("RGB")
