"""Price tags and shelf labels: what something is and what it costs."""

from __future__ import annotations

import random

from tools.demo_model.canvas import Box, Canvas
from tools.demo_model.lexicon import GOODS

from .prices import CURRENCIES, price
from .scene import Scene, Thing, cell_of, spread

NAMES = tuple(GOODS)
CARDS = ((255, 255, 255), (255, 250, 214), (255, 236, 236), (232, 244, 255), (250, 214, 60), (255, 255, 246))
INKS = ((20, 20, 24), (120, 20, 24), (16, 40, 100))

# Boxes of the tags in fractions. The last is kept out of training.
LAYOUTS: tuple[tuple[Box, ...], ...] = (
    ((0.08, 0.25, 0.92, 0.75),),
    ((0.03, 0.3, 0.49, 0.7), (0.51, 0.3, 0.97, 0.7)),
    ((0.12, 0.06, 0.88, 0.47), (0.12, 0.53, 0.88, 0.94)),
    ((0.02, 0.06, 0.49, 0.47), (0.51, 0.06, 0.98, 0.47), (0.02, 0.53, 0.49, 0.94), (0.51, 0.53, 0.98, 0.94)),
    ((0.02, 0.06, 0.49, 0.47), (0.51, 0.06, 0.98, 0.47), (0.25, 0.53, 0.75, 0.94)),
    ((0.1, 0.02, 0.9, 0.32), (0.1, 0.345, 0.9, 0.655), (0.1, 0.68, 0.9, 0.98)),
    ((0.02, 0.06, 0.49, 0.47), (0.51, 0.53, 0.98, 0.94)),
)
UNSEEN_LAYOUT = 6


def sample(rng: random.Random, unseen: bool, easy: bool) -> Scene:
    """One to four tags; one where `easy`."""
    if easy:
        layout = 0
    elif unseen and rng.random() < 0.35:
        layout = UNSEEN_LAYOUT
    else:
        layout = rng.randrange(UNSEEN_LAYOUT)
    boxes = LAYOUTS[layout] if unseen else spread(rng, LAYOUTS[layout])
    currency = rng.choice(CURRENCIES)
    names = rng.sample(NAMES, len(boxes))
    prices: set[str] = set()
    while len(prices) < len(boxes):
        prices.add(price(rng, currency))
    shuffled = sorted(prices)
    rng.shuffle(shuffled)
    things = []
    for box, name, cost in zip(boxes, names, shuffled, strict=True):
        cell = cell_of((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        things.append(Thing(name, box, cell, price=cost))
    return Scene("tags", tuple(things), rng.randrange(1 << 30), layout, unseen)


def paint(scene: Scene, canvas: Canvas) -> None:
    """Draw the tags as cards; name and price one above the other or side by side."""
    rng = canvas.rng
    card, ink = rng.choice(CARDS), rng.choice(INKS)
    case = rng.choice((str.capitalize, str.capitalize, str.upper, str.lower))
    price_first = rng.random() < 0.25
    bar = rng.random() < 0.3
    for item in scene.things:
        left, top, right, bottom = (n * s for n, s in zip(item.box, (canvas.width, canvas.height) * 2, strict=True))
        wide, high = right - left, bottom - top
        canvas.draw.rectangle(
            (left, top, right, bottom), fill=card, outline=(70, 70, 70), width=max(1, canvas.side // 200)
        )
        if bar:
            canvas.draw.rectangle((left, top, right, top + high * 0.1), fill=ink)
        name = case(item.name)
        middle = (left + right) / 2
        rows = (0.68, 0.3) if price_first else (0.32, 0.7)
        canvas.text(middle, top + high * rows[0], name, canvas.fit(name, wide * 0.9, int(high * 0.3)), ink)
        size = canvas.fit(item.price, wide * 0.9, int(high * rng.uniform(0.32, 0.42)))
        canvas.text(middle, top + high * rows[1], item.price, size, ink)
        canvas.mark("tag", "", item.box)
