"""Coloured shapes, each in a ninth of its own: what the first demo model knew."""

from __future__ import annotations

import math
import random

from PIL import ImageDraw

from tools.demo_model.canvas import Canvas
from tools.demo_model.lexicon import COLOURS, SHAPES, Rgb

from .scene import CELLS, GRID, Scene, Thing

NAMES = tuple(SHAPES)


def sample(rng: random.Random, unseen: bool, easy: bool) -> Scene:
    """One to five shapes; where `easy`, one large one. No layout is kept out: each cell is one."""
    if easy or rng.random() < 0.06:
        radius = rng.uniform(0.18, 0.42)
        return Scene("shapes", (thing(rng, rng.choice(NAMES), _colour(rng), 4, radius),), rng.randrange(1 << 30))
    count = rng.choices((1, 2, 3, 4, 5), weights=(11, 26, 26, 20, 17))[0]
    # A narrow choice of shapes and colours makes repeats, without which counting would be trivial.
    names = NAMES if rng.random() < 0.5 else rng.sample(NAMES, 2)
    colours = tuple(COLOURS) if rng.random() < 0.5 else rng.sample(list(COLOURS), 2)
    cells = sorted(rng.sample(range(CELLS), count))
    things = [thing(rng, rng.choice(names), rng.choice(colours), cell, rng.uniform(0.09, 0.15)) for cell in cells]
    return Scene("shapes", tuple(things), rng.randrange(1 << 30), unseen=unseen)


def thing(rng: random.Random, name: str, colour: str, cell: int, radius: float) -> Thing:
    """A shape in `cell`, a little off its middle, of `radius` (a fraction of the picture's side)."""
    slack = max(0.015, min(0.04, 0.165 - radius))
    x = (cell % GRID + 0.5) / GRID + rng.uniform(-slack, slack)
    y = (cell // GRID + 0.5) / GRID + rng.uniform(-slack, slack)
    box = (x - radius, y - radius, x + radius, y + radius)
    return Thing(name, box, cell, colour, turn=rng.uniform(-12, 12), rgb=shade(rng, colour))


def shade(rng: random.Random, colour: str) -> Rgb:
    """A shade near `colour`."""
    red, green, blue = (min(255, max(0, c + rng.randint(-10, 10))) for c in COLOURS[colour])
    return red, green, blue


def _colour(rng: random.Random) -> str:
    return rng.choice(list(COLOURS))


def paint(scene: Scene, canvas: Canvas) -> None:
    """Draw all things of `scene`."""
    for item in scene.things:
        w, h = canvas.width, canvas.height
        left, top, right, bottom = item.box
        cx, cy = (left + right) / 2 * w, (top + bottom) / 2 * h
        behind = canvas.image.getpixel((int(cx), int(cy)))
        assert isinstance(behind, tuple)
        outline(canvas.draw, item, cx, cy, (right - left) / 2 * canvas.side, (behind[0], behind[1], behind[2]))
        canvas.mark(item.name, item.colour, item.box)


def true_box(item: Thing, width: int, height: int) -> tuple[float, float, float, float]:
    """A shape is as wide as high in pixels: its box in fractions of a picture that need not be square."""
    left, top, right, bottom = item.box
    x, y, radius = (left + right) / 2, (top + bottom) / 2, (right - left) / 2 * min(width, height)
    return x - radius / width, y - radius / height, x + radius / width, y + radius / height


def outline(draw: ImageDraw.ImageDraw, item: Thing, cx: float, cy: float, r: float, behind: Rgb) -> None:
    """Draw one shape of radius `r` pixels around (cx, cy)."""
    if item.name in ("circle", "ring"):
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=item.rgb)
        if item.name == "ring":
            hole = r * 0.56
            draw.ellipse((cx - hole, cy - hole, cx + hole, cy + hole), fill=behind)
        return
    angle = math.radians(item.turn)
    cos, sin = math.cos(angle), math.sin(angle)
    points = [(cx + r * (x * cos - y * sin), cy + r * (x * sin + y * cos)) for x, y in OUTLINES[item.name]]
    draw.polygon(points, fill=item.rgb)


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
        *((-0.32, -1.0), (0.32, -1.0), (0.32, -0.32), (1.0, -0.32), (1.0, 0.32), (0.32, 0.32)),
        *((0.32, 1.0), (-0.32, 1.0), (-0.32, 0.32), (-1.0, 0.32), (-1.0, -0.32), (-0.32, -0.32)),
    ],
    "star": _star(),
    "heart": _heart(),
}
