"""What lies behind a scene: plain, shaded, or blurred like a photo."""

from __future__ import annotations

import random

from PIL import Image, ImageFilter

from tools.demo_model.lexicon import Rgb

# Pale, so that every colour stands out on every background.
PALE: tuple[Rgb, ...] = (
    (255, 255, 255),
    (248, 246, 240),
    (235, 238, 242),
    (224, 236, 248),
    (226, 243, 228),
    (246, 236, 222),
    (240, 230, 244),
    (214, 216, 220),
)
# Under white cards and boards anything may lie.
DEEP: tuple[Rgb, ...] = ((120, 84, 56), (86, 92, 104), (64, 96, 84), (150, 130, 108), (104, 76, 96), (178, 164, 140))


def plain(rng: random.Random, size: tuple[int, int], *, deep: bool = False) -> Image.Image:
    """One shade, or from one to another."""
    shades = DEEP if deep else PALE
    top = rng.choice(shades)
    if rng.random() < 0.7:
        return Image.new("RGB", size, top)
    column = Image.new("RGB", (1, 2), top)
    column.putpixel((0, 1), rng.choice(shades))
    return column.resize(size, Image.Resampling.BILINEAR)


def clouds(rng: random.Random, size: tuple[int, int], *, deep: bool = False) -> Image.Image:
    """Soft patches of light and shade, as out of focus in a photo."""
    base = rng.choice(DEEP if deep else PALE)
    cells = (rng.randint(2, 7), rng.randint(2, 7))
    spread = 40 if deep else 22
    small = Image.new("RGB", cells)
    small.putdata(
        [
            tuple(min(255, max(0, c + light + rng.randint(-8, 8))) for c in base)
            for light in (rng.randint(-spread, 12) for _ in range(cells[0] * cells[1]))
        ]
    )
    return small.resize(size, Image.Resampling.BICUBIC)


def boards(rng: random.Random, size: tuple[int, int], *, deep: bool = False) -> Image.Image:
    """Planks of a table or a shelf."""
    base = rng.choice(DEEP if deep else PALE)
    count = rng.randint(3, 9)
    strip = Image.new("RGB", (1, count))
    strip.putdata(
        [tuple(min(255, max(0, c + light)) for c in base) for light in (rng.randint(-14, 10) for _ in range(count))]
    )
    if rng.random() < 0.5:
        strip = strip.transpose(Image.Transpose.ROTATE_90)
    return strip.resize(size, Image.Resampling.NEAREST).filter(ImageFilter.BoxBlur(1))


def background(rng: random.Random, size: tuple[int, int], *, deep: bool = False) -> Image.Image:
    """One of them; `deep`: dark enough for white cards to lie on."""
    make = rng.choices((plain, clouds, boards), weights=(5, 3, 1))[0]
    return make(rng, size, deep=deep)
