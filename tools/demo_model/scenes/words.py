"""One large word or code: where reading begins."""

from __future__ import annotations

import random

from tools.demo_model.canvas import Canvas
from tools.demo_model.lexicon import GOODS, LABELS, STORES, WORDS

from .prices import price
from .scene import Scene

LETTERS = "ABCDEFGHKLMNPRSTUVWXYZ"
KNOWN = (*WORDS, *GOODS, *(label for labels in LABELS for label in labels if len(label) > 1), *STORES)


def sample(rng: random.Random, unseen: bool, easy: bool) -> Scene:
    """A word that the model knows, a price, or letters and digits in any order."""
    what = rng.random()
    if what < 0.5:
        text = rng.choice(WORDS if rng.random() < 0.5 else KNOWN)
        text = text.upper() if rng.random() < 0.6 else text[0].upper() + text[1:]
    elif what < 0.7:
        text = price(rng)
    else:
        text = "".join(rng.choice(LETTERS + "0123456789" * 2) for _ in range(rng.randint(2, 4)))
    return Scene("words", (), rng.randrange(1 << 30), int(easy), unseen, {"words": text})


def paint(scene: Scene, canvas: Canvas) -> None:
    """Print the word, sometimes on a plate; large where the scene is easy."""
    rng, w, h = canvas.rng, canvas.width, canvas.height
    large = scene.layout == 1
    text = scene.facts["words"]
    size = canvas.fit(
        text, w * (rng.uniform(0.75, 0.95) if large else rng.uniform(0.4, 0.9)), int(h * (0.4 if large else 0.22))
    )
    x, y = w / 2, h * rng.uniform(0.35, 0.65)
    ink, plate = (24, 24, 28), (255, 255, 255)
    if rng.random() < 0.35:
        ink, plate = (252, 252, 252), rng.choice(((180, 30, 36), (24, 70, 160), (20, 110, 70), (40, 40, 46)))
    wide = canvas.text_width(text, size) / 2 + size * 0.35
    canvas.draw.rectangle((x - wide, y - size * 0.75, x + wide, y + size * 0.75), fill=plate)
    canvas.text(x, y, text, size, ink)
