"""Goods of a shop, drawn: one or two of them, in a colour and a pattern, sometimes with a price tag."""

from __future__ import annotations

import random
from typing import Any

from PIL import Image, ImageDraw

from tools.demo_model.canvas import Canvas
from tools.demo_model.lexicon import COLOURS, PATTERNS, PRODUCTS, Rgb

from .prices import price
from .scene import Scene, Thing, cell_of, spread
from .shapes import shade

NAMES = tuple(PRODUCTS)

# Where products stand: boxes in fractions. The last is kept out of training.
LAYOUTS: tuple[tuple[tuple[float, float, float, float], ...], ...] = (
    ((0.15, 0.12, 0.85, 0.82),),
    ((0.25, 0.2, 0.75, 0.7),),
    ((0.04, 0.22, 0.48, 0.7), (0.52, 0.22, 0.96, 0.7)),
    ((0.28, 0.02, 0.72, 0.38), (0.28, 0.52, 0.72, 0.88)),
    ((0.05, 0.04, 0.47, 0.48), (0.53, 0.48, 0.95, 0.92)),
)
UNSEEN_LAYOUT = 4

# Parts of each product in a box from -1 to 1, y downwards: how, points, and what it is filled with.
_PARTS: dict[str, tuple[tuple[str, tuple[float, ...], str], ...]] = {
    "shoe": (
        (
            "polygon",
            (-0.95, 0.3, -0.9, -0.5, -0.45, -0.55, -0.25, -0.15, 0.3, 0.05, 0.9, 0.25, 0.95, 0.5, -0.95, 0.5),
            "body",
        ),
        ("rectangle", (-0.97, 0.48, 0.97, 0.66), "dark"),
        ("line", (-0.3, -0.22, -0.12, -0.34), "light"),
        ("line", (-0.08, -0.1, 0.08, -0.24), "light"),
    ),
    "cup": (
        ("ring", (0.15, -0.4, 0.92, 0.4), "body"),
        ("polygon", (-0.75, -0.7, 0.5, -0.7, 0.38, 0.75, -0.62, 0.75), "body"),
        ("ellipse", (-0.75, -0.85, 0.5, -0.55), "dark"),
    ),
    "shirt": (
        (
            "polygon",
            (
                *(-0.35, -0.85, 0.35, -0.85, 0.97, -0.4, 0.75, 0.02, 0.52, -0.15),
                *(0.52, 0.88, -0.52, 0.88, -0.52, -0.15, -0.75, 0.02, -0.97, -0.4),
            ),
            "body",
        ),
        ("ellipse", (-0.22, -1.0, 0.22, -0.62), "light"),
    ),
    "lamp": (
        ("polygon", (-0.35, -0.92, 0.35, -0.92, 0.75, -0.1, -0.75, -0.1), "body"),
        ("rectangle", (-0.07, -0.1, 0.07, 0.75), "dark"),
        ("ellipse", (-0.5, 0.65, 0.5, 0.95), "dark"),
    ),
    "bag": (
        ("arc", (-0.4, -0.9, 0.4, 0.3), "dark"),
        ("polygon", (-0.65, -0.3, 0.65, -0.3, 0.82, 0.88, -0.82, 0.88), "body"),
    ),
    "hat": (
        ("polygon", (-0.52, 0.3, -0.4, -0.6, 0.4, -0.6, 0.52, 0.3), "body"),
        ("ellipse", (-0.98, 0.1, 0.98, 0.58), "body"),
        ("rectangle", (-0.5, 0.0, 0.5, 0.17), "dark"),
    ),
    "chair": (
        ("rectangle", (-0.55, -0.95, 0.55, -0.1), "body"),
        ("polygon", (-0.6, 0.0, 0.6, 0.0, 0.75, 0.3, -0.75, 0.3), "body"),
        ("rectangle", (-0.7, 0.3, -0.55, 0.95), "dark"),
        ("rectangle", (0.55, 0.3, 0.7, 0.95), "dark"),
    ),
    "bottle": (
        ("rectangle", (-0.14, -0.8, 0.14, -0.1), "body"),
        ("rounded", (-0.4, -0.3, 0.4, 0.97), "body"),
        ("rectangle", (-0.19, -0.97, 0.19, -0.78), "dark"),
    ),
    "book": (
        ("rectangle", (-0.68, -0.9, 0.68, 0.9), "body"),
        ("rectangle", (-0.68, -0.9, -0.5, 0.9), "dark"),
        ("rectangle", (-0.3, -0.65, 0.48, -0.35), "light"),
    ),
    "clock": (
        ("ellipse", (-0.92, -0.92, 0.92, 0.92), "body"),
        ("ellipse", (-0.6, -0.6, 0.6, 0.6), "light"),
        ("line", (0.0, 0.0, 0.0, -0.48), "dark"),
        ("line", (0.0, 0.0, 0.34, 0.12), "dark"),
    ),
    "umbrella": (
        ("rectangle", (-0.05, -0.1, 0.05, 0.85), "dark"),
        ("hook", (-0.05, 0.68, 0.3, 0.98), "dark"),
        ("dome", (-0.97, -0.9, 0.97, 1.0), "body"),
    ),
}


def sample(rng: random.Random, unseen: bool, easy: bool) -> Scene:
    """One product, or two where not `easy`."""
    if easy:
        layout = 0
    elif unseen and rng.random() < 0.5:
        layout = UNSEEN_LAYOUT
    else:
        layout = rng.choice((0, 1, 2, 2, 3))
    tagged = not easy and rng.random() < 0.45
    things = []
    boxes = LAYOUTS[layout] if unseen else spread(rng, LAYOUTS[layout])
    for box in boxes:
        left, top, right, bottom = box
        cell = cell_of((left + right) / 2, (top + bottom) / 2) if len(boxes) > 1 else 4
        colour = rng.choice(list(COLOURS))
        things.append(
            Thing(
                rng.choice(NAMES),
                box,
                cell,
                colour,
                rng.choices(tuple(PATTERNS), weights=(4, 2, 2, 2))[0],
                price(rng) if tagged else "",
                turn=rng.uniform(-8, 8),
                rgb=shade(rng, colour),
            )
        )
    return Scene("products", tuple(things), rng.randrange(1 << 30), layout, unseen)


def paint(scene: Scene, canvas: Canvas) -> None:
    """Draw the products and their tags."""
    for item in scene.things:
        _product(item, canvas)
        canvas.mark(item.name, item.colour, item.box)
        if item.price:
            _tag(item, canvas)


def _product(item: Thing, canvas: Canvas) -> None:
    left, top, right, bottom = item.box
    cx, cy = (left + right) / 2 * canvas.width, (top + bottom) / 2 * canvas.height
    half = min((right - left) * canvas.width, (bottom - top) * canvas.height) / 2
    size = int(2 * half)
    mask = Image.new("L", (size, size), 0)
    body = ImageDraw.Draw(mask)
    over = Image.new("RGBA", (size, size))
    trim = ImageDraw.Draw(over)
    fills = {"dark": (*_darker(item.rgb), 255), "light": (250, 250, 246, 255)}
    for how, numbers, fill in _PARTS[item.name]:
        points = [(n + 1) * half for n in numbers]
        pen: Any = (body, 255) if fill == "body" else (trim, fills[fill])
        _part(pen[0], how, points, pen[1], max(2, int(half * 0.09)))
    cover = _pattern(item, size)
    place = (int(cx - half), int(cy - half))
    if abs(item.turn) > 3:
        mask, cover, over = (
            layer.rotate(item.turn, resample=Image.Resampling.BILINEAR) for layer in (mask, cover, over)
        )
    canvas.image.paste(cover, place, mask)
    canvas.image.paste(over, place, over)


def _part(draw: ImageDraw.ImageDraw, how: str, points: list[float], fill: Any, width: int) -> None:
    if how == "polygon":
        draw.polygon(points, fill=fill)
    elif how == "rectangle":
        draw.rectangle(points, fill=fill)
    elif how == "rounded":
        draw.rounded_rectangle(points, radius=width * 2, fill=fill)
    elif how == "ellipse":
        draw.ellipse(points, fill=fill)
    elif how == "ring":
        draw.ellipse(points, outline=fill, width=width * 2)
    elif how == "arc":
        draw.arc(points, 180, 360, fill=fill, width=width)
    elif how == "hook":
        draw.arc(points, 0, 180, fill=fill, width=width)
    elif how == "dome":
        draw.pieslice(points, 180, 360, fill=fill)
    else:
        draw.line(points, fill=fill, width=width)


def _darker(rgb: Rgb) -> Rgb:
    if sum(rgb) < 150:
        return (96, 96, 100)
    return rgb[0] * 2 // 5, rgb[1] * 2 // 5, rgb[2] * 2 // 5


def _pattern(item: Thing, size: int) -> Image.Image:
    """A square cloth in the thing's colour and pattern."""
    cloth = Image.new("RGB", (size, size), item.rgb)
    draw = ImageDraw.Draw(cloth)
    other = (252, 252, 248)
    step = size / 6
    lines = [i * step for i in range(7)]
    if item.pattern == "striped":
        for y in lines:
            draw.rectangle((0, y, size, y + step * 0.4), fill=other)
    elif item.pattern == "dotted":
        for row, y in enumerate(lines):
            for x in lines:
                at = x + (step / 2 if row % 2 else 0)
                draw.ellipse((at, y, at + step * 0.42, y + step * 0.42), fill=other)
    elif item.pattern == "checked":
        for row in range(7):
            for column in range(row % 2, 7, 2):
                draw.rectangle((column * step, row * step, (column + 1) * step, (row + 1) * step), fill=other)
    return cloth


def _tag(item: Thing, canvas: Canvas) -> None:
    left, _, right, bottom = item.box
    x, y = (left + right) / 2 * canvas.width, min(0.93, bottom + 0.06) * canvas.height
    size = max(8, int(canvas.side * 0.085))
    width = canvas.text_width(item.price, size) / 2 + size * 0.4
    canvas.draw.rectangle(
        (x - width, y - size * 0.7, x + width, y + size * 0.7), fill=(255, 255, 250), outline=(60, 60, 60)
    )
    canvas.text(x, y, item.price, size, (20, 20, 24))
