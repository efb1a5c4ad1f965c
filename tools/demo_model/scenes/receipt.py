"""Small receipts: a shop, some goods with prices, the total."""

from __future__ import annotations

import random

from tools.demo_model.canvas import Canvas
from tools.demo_model.lexicon import GOODS, STORES

from .prices import CURRENCIES, cents_of, price, show
from .scene import Scene, Thing

TOTALS = ("TOTAL", "Total", "SUM", "TO PAY")
# Layout: name of the total x rule x alignment of the shop's name, as one number. These are kept out of training.
LAYOUTS = 24
UNSEEN_LAYOUTS = (5, 10, 15, 20)


def sample(rng: random.Random, unseen: bool, easy: bool) -> Scene:
    """Two to four goods; one where `easy`."""
    count = 1 if easy else rng.choices((2, 3, 4), weights=(3, 4, 3))[0]
    seen = [n for n in range(LAYOUTS) if n not in UNSEEN_LAYOUTS]
    layout = rng.choice(UNSEEN_LAYOUTS if unseen and rng.random() < 0.5 else seen)
    currency = rng.choice(CURRENCIES)
    prices: list[str] = []
    while len(prices) < count:
        if (cost := price(rng, currency)) not in prices:
            prices.append(cost)
    names = rng.sample(tuple(GOODS), count)
    things = [Thing(name, (0.0, 0.0, 1.0, 1.0), price=cost) for name, cost in zip(names, prices, strict=True)]
    facts = {"total": show(sum(map(cents_of, prices)), currency), "store": rng.choice(STORES)}
    return Scene("receipt", tuple(things), rng.randrange(1 << 30), layout, unseen, facts)


def paint(scene: Scene, canvas: Canvas) -> None:
    """Draw the strip of paper and its lines."""
    rng, w, h = canvas.rng, canvas.width, canvas.height
    paper, ink = (
        rng.choice(((255, 255, 255), (250, 249, 240), (244, 246, 248))),
        rng.choice(((20, 20, 24), (60, 60, 70))),
    )
    half = min(0.47 * w, rng.uniform(0.36, 0.46) * h)
    left, right = w / 2 - half, w / 2 + half
    top, bottom = h * 0.02, h * 0.98
    canvas.draw.rectangle((left, top, right, bottom), fill=paper)
    total_word = TOTALS[scene.layout % 4]
    rule = scene.layout // 4 % 3
    align = "m" if scene.layout // 12 else "l"
    pad = half * 0.1
    lines = len(scene.things) + 3
    line = (bottom - top) / (lines + 0.4)
    size = int(min(line * 0.62, half * 0.27))
    y = top + line * 0.75
    store = scene.facts["store"]
    canvas.text(
        w / 2 if align == "m" else left + pad, y, store, canvas.fit(store, 2 * half * 0.9, int(size * 1.15)), ink, align
    )
    case = rng.choice((str.capitalize, str.upper, str.capitalize))
    y += line * 1.15
    for item in scene.things:
        cost = canvas.text(right - pad, y, item.price, size, ink, "r")
        name = case(item.name)
        canvas.text(left + pad, y, name, canvas.fit(name, 2 * half - 3 * pad - cost, size), ink, "l")
        y += line
    if rule:
        step = int(half * 0.12) if rule == 1 else int(2 * half)
        x = left + pad
        while x < right - pad:
            end = min(right - pad, x + step * (0.6 if rule == 1 else 1))
            canvas.draw.line((x, y - line * 0.45, end, y - line * 0.45), fill=ink, width=max(1, size // 10))
            x += step
    y += line * 0.15
    big = int(size * 1.1)
    cost = canvas.text(right - pad, y, scene.facts["total"], big, ink, "r")
    canvas.text(left + pad, y, total_word, canvas.fit(total_word, 2 * half - 3 * pad - cost, big), ink, "l")
