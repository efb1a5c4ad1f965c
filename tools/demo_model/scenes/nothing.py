"""Pictures that the model knows nothing about: empty, noise, scribbles, and what looks like a photo."""

from __future__ import annotations

import random
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, UnidentifiedImageError

from tools.demo_model.canvas import Canvas

from .scene import Scene

HOW = ("empty", "noise", "clouds", "landscape", "strokes", "texture", "photo")
# Photos that packages bring along, where one of them is installed; those of the second line are only measured on.
_PHOTOS = {"skimage": "data/*.*g"}
_UNSEEN_PHOTOS = {"sklearn": "datasets/images/*.jpg", "matplotlib": "mpl-data/sample_data/grace_hopper.jpg"}


def sample(rng: random.Random, unseen: bool, easy: bool) -> Scene:
    """One of them. The same questions are asked whether there are photos here or not."""
    layout = rng.randrange(len(HOW))
    return Scene("nothing", (), rng.randrange(1 << 30), layout, unseen)


@lru_cache(maxsize=2)
def photos(unseen: bool) -> tuple[Image.Image, ...]:
    """Photos of installed packages, at most 400 pixels wide; empty where none is installed."""
    found = []
    for package, pattern in (_UNSEEN_PHOTOS if unseen else _PHOTOS).items():
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            continue
        for path in sorted(Path(spec.origin).parent.glob(pattern)):
            try:
                with Image.open(path) as image:
                    small = image.convert("RGB")
            except (UnidentifiedImageError, OSError):  # a drawing in SVG, or a file that is fetched on first use
                continue
            small.thumbnail((400, 400))
            found.append(small)
    return tuple(found)


def paint(scene: Scene, canvas: Canvas) -> None:
    """Draw it over the background; something else, where a photo is wanted and no package has one."""
    how = HOW[scene.layout]
    rng, size = canvas.rng, canvas.image.size
    if how == "photo" and not photos(scene.unseen):
        how = HOW[rng.randrange(1, len(HOW) - 1)]
    if how == "noise":
        canvas.image.paste(_noise(rng, (size[0] // rng.choice((1, 2, 4)), size[1] // 2)).resize(size))
    elif how == "clouds":
        canvas.image.paste(fractal(rng, size))
    elif how == "landscape":
        _landscape(rng, canvas)
    elif how == "strokes":
        _strokes(rng, canvas)
    elif how == "texture":
        tile = _noise(rng, (rng.randint(2, 9), rng.randint(2, 9))).resize(
            (size[0] // 4, size[1] // 4), Image.Resampling.BICUBIC
        )
        for x in range(0, size[0], max(1, tile.width)):
            for y in range(0, size[1], max(1, tile.height)):
                canvas.image.paste(tile, (x, y))
    elif how == "photo":
        photo = rng.choice(photos(scene.unseen))
        share = rng.uniform(0.4, 1.0)
        wide, high = int(photo.width * share), int(photo.height * share)
        left, top = rng.randint(0, photo.width - wide), rng.randint(0, photo.height - high)
        part = photo.crop((left, top, left + wide, top + high)).resize(size, Image.Resampling.BILINEAR)
        canvas.image.paste(part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else part)


def _noise(rng: random.Random, size: tuple[int, int]) -> Image.Image:
    numbers = np.random.default_rng(rng.randrange(1 << 30)).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(numbers)


def fractal(rng: random.Random, size: tuple[int, int]) -> Image.Image:
    """Light and dark at every scale, in drifting colours, as photos have it."""
    whole: Image.Image | None = None
    for cells in (2, 4, 9, 20, 45):
        layer = _noise(rng, (cells, cells)).resize(size, Image.Resampling.BICUBIC)
        whole = layer if whole is None else Image.blend(whole, layer, 0.4)
    assert whole is not None
    return whole


def _landscape(rng: random.Random, canvas: Canvas) -> None:
    w, h = canvas.width, canvas.height
    sky, ground = (rng.randint(120, 200), rng.randint(160, 220), 255), (rng.randint(40, 140), rng.randint(90, 150), 60)
    canvas.draw.rectangle((0, 0, w, h), fill=sky)
    for depth in range(3):
        shade = tuple(max(0, c - 25 * depth) for c in ground)
        base = h * (0.45 + 0.15 * depth)
        ridge = [(w * i / 8, base + rng.uniform(-0.08, 0.08) * h) for i in range(9)]
        canvas.draw.polygon([(0, h), *ridge, (w, h)], fill=(shade[0], shade[1], shade[2]))
    canvas.image.paste(Image.blend(canvas.image, fractal(rng, canvas.image.size), rng.uniform(0.15, 0.4)))


def _strokes(rng: random.Random, canvas: Canvas) -> None:
    w, h = canvas.width, canvas.height
    draw = ImageDraw.Draw(canvas.image)
    for _ in range(rng.randint(2, 14)):
        tint = tuple(rng.randint(30, 200) for _ in range(3))
        points = [(rng.uniform(0, w), rng.uniform(0, h)) for _ in range(rng.randint(2, 6))]
        draw.line(points, fill=(tint[0], tint[1], tint[2]), width=max(1, int(canvas.side * rng.uniform(0.004, 0.02))))
    canvas.image.paste(canvas.image.filter(ImageFilter.GaussianBlur(canvas.side / 200)))
