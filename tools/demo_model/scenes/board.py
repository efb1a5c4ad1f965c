"""Simple arithmetic on a blackboard, and how it is done step by step."""

from __future__ import annotations

import random

from PIL import Image

from tools.demo_model.canvas import Canvas

from .scene import Scene

# Layout: the equation's ending x where it stands. Kept out of training: the last.
ENDINGS = ("= ?", "=", "= ?")
UNSEEN_LAYOUT = 5


def sample(rng: random.Random, unseen: bool, easy: bool) -> Scene:
    """A sum, a difference or a product of small numbers. The facts are the sum, its answer and the steps."""
    how = rng.choices("+-×", weights=(4, 3, 3))[0]
    if how == "+":
        a, b = rng.randint(1, 15), rng.randint(1, 15)
        answer = a + b
    elif how == "-":
        a, b = sorted((rng.randint(1, 20), rng.randint(1, 20)), reverse=True)
        answer = a - b
    else:
        a, b = rng.randint(2, 9), rng.randint(2, 9)
        answer = a * b
    layout = UNSEEN_LAYOUT if unseen and rng.random() < 0.4 else rng.randrange(UNSEEN_LAYOUT)
    facts = {"sum": f"{a} {how} {b}", "answer": str(answer), "steps": steps(a, how, b)}
    return Scene("board", (), rng.randrange(1 << 30), layout, unseen, facts)


def steps(a: int, how: str, b: int) -> str:
    """How a person would get there: through the next ten, or by adding up."""
    if how == "×":
        return f"{a} × {b} = {' + '.join([str(a)] * b)} = {a * b}" if b <= 4 else f"{a} × {b} = {a * b}"
    if how == "+":
        rest = 10 - a % 10
        if a % 10 and a % 10 + b % 10 > 10 and b > rest:
            return f"{a} + {rest} = {a + rest}. {a + rest} + {b - rest} = {a + b}"
        return f"{a} + {b} = {a + b}"
    rest = a % 10
    if rest and rest < b < 10:
        return f"{a} - {rest} = {a - rest}. {a - rest} - {b - rest} = {a - b}"
    return f"{a} - {b} = {a - b}"


def paint(scene: Scene, canvas: Canvas) -> None:
    """Draw the board and what is chalked on it."""
    rng, w, h = canvas.rng, canvas.width, canvas.height
    slate = rng.choice(((34, 62, 50), (30, 36, 40), (44, 74, 62), (26, 48, 74)))
    frame = max(3, canvas.side // 22)
    canvas.draw.rectangle((0, 0, w, h), fill=(140, 100, 62))
    canvas.draw.rectangle((frame, frame, w - frame, h - frame), fill=slate)
    if rng.random() < 0.5:  # wiped before
        smear = Image.new("RGB", (3, 3))
        smear.putdata([tuple(c + rng.randint(0, 22) for c in slate) for _ in range(9)])
        inner = (w - 2 * frame, h - 2 * frame)
        canvas.image.paste(smear.resize(inner, Image.Resampling.BICUBIC), (frame, frame))
    text = f"{scene.facts['sum']} {ENDINGS[scene.layout % 3]}"
    size = canvas.fit(text, w * rng.uniform(0.6, 0.84), int(h * 0.3))
    y = (0.5, 0.36)[scene.layout // 3] + rng.uniform(-0.08, 0.12)
    canvas.text(w / 2, h * y, text, size, rng.choice(((250, 250, 244), (252, 244, 180), (236, 240, 250))))
