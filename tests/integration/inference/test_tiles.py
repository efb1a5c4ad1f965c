"""Our image processors cut pictures as those of transformers do, which are for torchvision only.

The numbers are what those say (transformers 5.23, torchvision 0.28).
"""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.inference.tiles_lfm2 import Lfm2VlImageProcessor
from core.inference.tiles_phi4 import Phi4MultimodalImageProcessor

# Width and height to: Phi-4's grid (height, width) in pixels, and its tokens; LFM2-VL's grid (rows, columns), and the
# size of the whole (height, width).
SIZES: dict[tuple[int, int], tuple[tuple[int, int], int, tuple[int, int], tuple[int, int]]] = {
    (84, 56): ((448, 448), 460, (1, 1), (224, 320)),
    (448, 448): ((448, 448), 545, (1, 1), (448, 448)),
    (449, 450): ((896, 896), 1329, (1, 1), (448, 448)),
    (1024, 768): ((896, 1344), 1681, (2, 3), (416, 576)),
    (300, 1200): ((1344, 448), 897, (1, 1), (1024, 256)),
    (2000, 500): ((896, 2240), 1893, (1, 4), (256, 1024)),
    (4000, 3000): ((1344, 1792), 3393, (2, 3), (416, 576)),
}


def grey(width: int, height: int) -> Image.Image:
    """Brighter from left to right."""
    return Image.fromarray(np.tile(np.linspace(0, 255, width, dtype=np.uint8), (height, 1))).convert("RGB")


@pytest.mark.parametrize("size", SIZES)
def test_grids_and_tokens(size: tuple[int, int]) -> None:
    phi_size, tokens, grid, whole = SIZES[size]
    phi = Phi4MultimodalImageProcessor()(grey(*size), return_tensors="pt")
    assert (tuple(phi["image_sizes"][0].tolist()), phi["num_img_tokens"].tolist()) == (phi_size, [tokens])
    cut: Any = Lfm2VlImageProcessor()
    lfm = cut(grey(*size), return_tensors="pt", return_row_col_info=True)
    assert (int(lfm["image_rows"][0]), int(lfm["image_cols"][0])) == grid
    assert tuple(lfm["image_sizes"][0].tolist()) == whole
    tiles = grid[0] * grid[1]
    assert len(lfm["pixel_values"]) == tiles + (tiles > 1)
    # In patches: tiles of 512 pixels, then all of it, small.
    assert lfm["spatial_shapes"].tolist() == [[32, 32]] * (tiles if tiles > 1 else 0) + [
        [whole[0] // 16, whole[1] // 16]
    ]
    assert torch.equal(lfm["pixel_attention_mask"].sum(1), lfm["spatial_shapes"].prod(1))


def test_phi_shows_all_of_a_picture_then_its_tiles_line_by_line() -> None:
    made = Phi4MultimodalImageProcessor()(grey(896, 448), return_tensors="pt")
    whole, left, right = made["image_pixel_values"][0].mean((1, 2, 3)).tolist()
    assert left < whole < right
    assert made["image_attention_mask"].all()


def test_phi_says_where_the_picture_ends() -> None:
    made = Phi4MultimodalImageProcessor()(grey(448, 60), return_tensors="pt")
    mask, pixels = made["image_attention_mask"][0, 1], made["image_pixel_values"][0, 1]
    assert mask[:5].all()
    assert not mask[5:].any()
    # White behind it, but for what is left of the last patch.
    assert (pixels[:, 60:] == 1).all()
    assert (pixels[:, :60, :200] < 0.9).all()


def test_lfm_keeps_patches_in_order_and_fills_up_with_nothing() -> None:
    kind: Any = Lfm2VlImageProcessor
    made = kind(max_image_tokens=64)(grey(320, 64), return_tensors="pt")
    rows, columns = made["spatial_shapes"][0].tolist()
    shown = made["pixel_attention_mask"][0].bool()
    bright = made["pixel_values"][0][shown].mean(1).view(rows, columns)
    assert (bright.diff(dim=1) > 0).all()
    assert (made["pixel_values"][0][~shown] == 0).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 100), (10_000, 200), (64, 3200)])
def test_strips_and_dots(size: tuple[int, int]) -> None:
    phi = Phi4MultimodalImageProcessor()(grey(*size), return_tensors="pt")
    assert phi["image_pixel_values"].isfinite().all()
    lfm = Lfm2VlImageProcessor()(grey(*size), return_tensors="pt")
    assert lfm["spatial_shapes"].prod(1).max() <= 1024
