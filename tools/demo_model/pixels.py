"""From a scene to the pixels that the model sees, as the saved image processor would make them.

Numbers here are the processor's settings (see `export.image_processor`); a test holds both to the
same result.
"""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from .scenes import Scene, render, roughen

PATCH = 14
MERGE = 2
FACTOR = PATCH * MERGE
# Pixel counts of the two identical frames that Glm4v makes of a picture: 24 to 29 image tokens.
MIN_PIXELS = 2 * FACTOR * FACTOR * 24
MAX_PIXELS = 2 * FACTOR * FACTOR * 29
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)

Grid = tuple[int, int]
"""Rows and columns of image tokens (merged patches)."""

# Token grids with a picture size that the processor reduces to them.
SOURCES: dict[Grid, tuple[tuple[int, int], ...]] = {
    (5, 5): ((300, 300), (280, 280), (420, 420), (480, 480)),
    (4, 6): ((400, 300), (420, 280), (480, 320)),
    (6, 4): ((300, 400), (280, 420), (320, 480)),
    (4, 7): ((480, 270),),
    (7, 4): ((270, 480),),
}
GRIDS = tuple(SOURCES)
GRID_WEIGHTS = (80, 7, 7, 3, 3)


def draw_pixels(scene: Scene, grid: Grid, rng: random.Random) -> npt.NDArray[np.uint8]:
    """Render `scene`, roughen it, and reduce it to `grid`: (28 rows, 28 columns, 3), uint8."""
    width, height = rng.choice(SOURCES[grid])
    image = roughen(render(scene, width, height), rng)
    small = image.resize((grid[1] * FACTOR, grid[0] * FACTOR), Image.Resampling.BICUBIC)
    return np.asarray(small, dtype=np.uint8)


def to_patches(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 pictures (B, H, W, 3) to normalised patches (B, H*W/196, 588), block by block as the
    merger wants them; one frame only, since both frames of a picture are the same."""
    batch, height, width, _ = pixels.shape
    scaled = pixels.float() / 255
    scaled = (scaled - torch.tensor(MEAN, device=pixels.device)) / torch.tensor(STD, device=pixels.device)
    blocks = scaled.view(batch, height // FACTOR, MERGE, PATCH, width // FACTOR, MERGE, PATCH, 3)
    return blocks.permute(0, 1, 4, 2, 5, 7, 3, 6).reshape(batch, -1, 3 * PATCH * PATCH)
