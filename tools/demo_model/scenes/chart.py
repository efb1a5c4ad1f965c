"""Bar charts with a label under each bar and mostly its value above it."""

from __future__ import annotations

import random

from tools.demo_model.canvas import Canvas
from tools.demo_model.lexicon import COLOURS, LABELS

from .backgrounds import PALE
from .scene import Scene, Thing
from .shapes import shade

# Layout: one colour or many x values printed or not x an axis or not. This one is kept out of training.
UNSEEN_LAYOUT = 7
BASE, TOP = 0.86, 0.14


def sample(rng: random.Random, unseen: bool, easy: bool) -> Scene:
    """Three to five bars; two where `easy`. No two bars are equally high."""
    count = 2 if easy else rng.choices((3, 4, 5), weights=(4, 4, 3))[0]
    layout = UNSEEN_LAYOUT if unseen and rng.random() < 0.4 else rng.choice((0, 1, 2, 2, 3, 3, 4, 5, 6, 6))
    labels = rng.choice(LABELS)
    first = rng.randint(0, len(labels) - count)
    values = rng.sample(range(1, 21), count)
    scale = (BASE - TOP) / max(values)
    slot = 0.9 / count
    width = slot * rng.uniform(0.5, 0.75)
    same = rng.choice(list(COLOURS))
    colours = rng.sample(list(COLOURS), count) if layout & 1 else [same] * count
    things = []
    for number, (value, colour) in enumerate(zip(values, colours, strict=True)):
        middle = 0.05 + slot * (number + 0.5)
        box = (middle - width / 2, BASE - value * scale, middle + width / 2, BASE)
        things.append(Thing(labels[first + number], box, -1, colour, value=value, rgb=shade(rng, colour)))
    return Scene("chart", tuple(things), rng.randrange(1 << 30), layout, unseen)


def has_values(scene: Scene) -> bool:
    """Whether the bars' values are printed."""
    return bool(scene.layout & 2)


def paint(scene: Scene, canvas: Canvas) -> None:
    """Draw the chart."""
    w, h = canvas.width, canvas.height
    canvas.draw.rectangle((0, 0, w, h), fill=canvas.rng.choice(PALE))
    ink = (40, 40, 48)
    slot = w * 0.9 / len(scene.things)
    size = min(int(canvas.side * 0.085), int(slot * 0.55))
    if scene.layout & 4:
        canvas.draw.line((w * 0.045, h * TOP * 0.5, w * 0.045, h * BASE), fill=ink, width=max(1, canvas.side // 120))
    canvas.draw.line((w * 0.04, h * BASE, w * 0.96, h * BASE), fill=ink, width=max(1, canvas.side // 120))
    for item in scene.things:
        left, top, right, bottom = item.box
        canvas.draw.rectangle((left * w, top * h, right * w, bottom * h - 1), fill=item.rgb)
        middle = (left + right) / 2 * w
        canvas.text(middle, h * 0.93, item.name, canvas.fit(item.name, slot * 0.95, size), ink)
        if has_values(scene):
            canvas.text(middle, top * h - size * 0.65, str(item.value), size, ink)
        canvas.mark("bar", item.colour, item.box)
