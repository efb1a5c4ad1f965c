"""Signs: some forbid, some warn, some help."""

from __future__ import annotations

import math
import random

from tools.demo_model.canvas import Canvas
from tools.demo_model.lexicon import SIGNS, Rgb

from .scene import Scene, Thing, cell_of, spread

NAMES = tuple(SIGNS)
# Boxes in fractions. The last is kept out of training.
LAYOUTS = (
    ((0.14, 0.14, 0.86, 0.86),),
    ((0.24, 0.2, 0.76, 0.72),),
    ((0.04, 0.27, 0.48, 0.73), (0.52, 0.27, 0.96, 0.73)),
    ((0.05, 0.04, 0.47, 0.48), (0.53, 0.5, 0.95, 0.94)),
)
UNSEEN_LAYOUT = 3
RED, GREEN, BLUE, YELLOW = (200, 24, 32), (0, 132, 72), (20, 80, 180), (252, 206, 20)
WHITE, BLACK = (252, 252, 252), (20, 20, 20)


def sample(rng: random.Random, unseen: bool, easy: bool) -> Scene:
    """One sign, or two where not `easy`."""
    layout = 0 if easy else UNSEEN_LAYOUT if unseen and rng.random() < 0.4 else rng.choice((0, 1, 1, 2, 2))
    boxes = LAYOUTS[layout] if unseen else spread(rng, LAYOUTS[layout])
    names = rng.sample(NAMES, len(boxes))
    cells = [cell_of((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in boxes]
    things = tuple(Thing(n, b, c) for n, b, c in zip(names, boxes, cells, strict=True))
    return Scene("signs", things, rng.randrange(1 << 30), layout, unseen)


def paint(scene: Scene, canvas: Canvas) -> None:
    """Draw the signs."""
    for item in scene.things:
        left, top, right, bottom = item.box
        cx, cy = (left + right) / 2 * canvas.width, (top + bottom) / 2 * canvas.height
        r = min((right - left) * canvas.width, (bottom - top) * canvas.height) / 2
        _Sign(canvas, cx, cy, r).paint(item.name)
        canvas.mark(item.name, "", item.box)


class _Sign:
    """Draws one sign of radius `r` around (cx, cy), in units of r."""

    def __init__(self, canvas: Canvas, cx: float, cy: float, r: float) -> None:
        self._canvas, self._cx, self._cy, self._r = canvas, cx, cy, r

    def paint(self, name: str) -> None:
        if name == "stop":
            self._ngon(8, 1.0, RED)
            self._text("STOP", 0.52, WHITE)
        elif name == "no entry":
            self._disc(1.0, RED)
            self._bar(-0.68, -0.17, 0.68, 0.17, WHITE)
        elif name == "no smoking":
            self._disc(1.0, RED)
            self._disc(0.8, WHITE)
            self._bar(-0.6, -0.1, 0.6, 0.12, BLACK)
            self._bar(0.4, -0.1, 0.6, 0.12, (240, 120, 30))
            self._slash(RED)
        elif name == "parking":
            self._bar(-0.85, -0.85, 0.85, 0.85, BLUE)
            self._text("P", 1.35, WHITE)
        elif name == "exit":
            self._bar(-1.0, -0.55, 1.0, 0.55, GREEN)
            self._text("EXIT", 0.72, WHITE)
        elif name == "first aid":
            self._bar(-0.85, -0.85, 0.85, 0.85, GREEN)
            self._bar(-0.6, -0.2, 0.6, 0.2, WHITE)
            self._bar(-0.2, -0.6, 0.2, 0.6, WHITE)
        else:
            self._poly((0, -0.98, 1.0, 0.78, -1.0, 0.78), BLACK)
            self._poly((0, -0.78, 0.82, 0.68, -0.82, 0.68), YELLOW)
            self._danger(name)

    def _danger(self, name: str) -> None:
        if name == "high voltage":
            self._poly((0.12, -0.5, -0.28, 0.18, -0.02, 0.18, -0.14, 0.62, 0.28, -0.02, 0.02, -0.02), BLACK)
        elif name == "warning":
            self._poly((-0.11, -0.42, 0.11, -0.42, 0.06, 0.25, -0.06, 0.25), BLACK)
            self._dot(0, 0.45, 0.11, BLACK)
        elif name == "flammable":
            self._poly((0.0, -0.5, 0.3, 0.05, 0.26, 0.4, 0.0, 0.55, -0.26, 0.4, -0.3, 0.1, -0.12, 0.12), BLACK)
            self._dot(0.0, 0.32, 0.12, YELLOW)
        else:
            for turn in (90, 210, 330):
                a, b = math.radians(turn - 28), math.radians(turn + 28)
                wing = (math.cos(a) * 0.46, 0.22 - math.sin(a) * 0.46, math.cos(b) * 0.46, 0.22 - math.sin(b) * 0.46)
                self._poly((0, 0.22, *wing), BLACK)
            self._dot(0, 0.22, 0.16, YELLOW)
            self._dot(0, 0.22, 0.1, BLACK)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return self._cx + x * self._r, self._cy + y * self._r

    def _poly(self, numbers: tuple[float, ...], fill: Rgb) -> None:
        points = [self._at(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        self._canvas.draw.polygon(points, fill=fill)

    def _ngon(self, sides: int, radius: float, fill: Rgb) -> None:
        angles = [math.pi * (2 * i + 1) / sides for i in range(sides)]
        self._poly(tuple(n for a in angles for n in (radius * math.cos(a), radius * math.sin(a))), fill)

    def _dot(self, x: float, y: float, radius: float, fill: Rgb) -> None:
        self._canvas.draw.ellipse((*self._at(x - radius, y - radius), *self._at(x + radius, y + radius)), fill=fill)

    def _disc(self, radius: float, fill: Rgb) -> None:
        self._dot(0, 0, radius, fill)

    def _bar(self, left: float, top: float, right: float, bottom: float, fill: Rgb) -> None:
        self._canvas.draw.rectangle((*self._at(left, top), *self._at(right, bottom)), fill=fill)

    def _slash(self, fill: Rgb) -> None:
        self._canvas.draw.line(
            (*self._at(-0.62, -0.62), *self._at(0.62, 0.62)), fill=fill, width=max(2, int(self._r * 0.18))
        )

    def _text(self, text: str, size: float, fill: Rgb) -> None:
        self._canvas.text(self._cx, self._cy, text, max(6, int(size * self._r)), fill)
