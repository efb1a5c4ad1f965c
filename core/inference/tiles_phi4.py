"""Phi-4's way of cutting a picture, on Pillow: transformers has it for torchvision only."""

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from transformers.feature_extraction_utils import BatchFeature
from transformers.image_processing_backends import PilBackend
from transformers.image_utils import PILImageResampling, SizeDict
from transformers.processing_utils import ImagesKwargs

from core.inference.tiles import closest_grid, grids


class Phi4Kwargs(ImagesKwargs, total=False):
    """What a checkpoint may set besides the usual: `dynamic_hd` is the most tiles of one picture."""

    patch_size: int
    dynamic_hd: int


class Phi4MultimodalImageProcessor(PilBackend):
    """Fits a picture into a grid of square tiles, white where it does not reach; all of it, small, comes before them.

    Gives `image_pixel_values` (n, T, 3, s, s), filled up with zeros to the most tiles of any picture; `image_sizes`
    (n, 2) height and width of the grids in pixels; `image_attention_mask` (n, T, s / p, s / p), which patches show the
    picture; `num_img_tokens`, the placeholders of each. Named as in the checkpoints, whose files it reads.
    """

    resample = PILImageResampling.BICUBIC
    size = {"height": 448, "width": 448}
    patch_size = 14
    dynamic_hd = 36
    image_mean = [0.5, 0.5, 0.5]
    image_std = [0.5, 0.5, 0.5]
    do_rescale = True
    do_normalize = True
    do_convert_rgb = True
    valid_kwargs = Phi4Kwargs
    model_input_names = ["image_pixel_values", "image_sizes", "image_attention_mask"]

    # Each processor has arguments of its own here.
    def _preprocess(  # type: ignore[override]
        self,
        images: list[Any],
        size: SizeDict,
        patch_size: int,
        dynamic_hd: int,
        do_rescale: bool,
        rescale_factor: float,
        do_normalize: bool,
        image_mean: Any,
        image_std: Any,
        return_tensors: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        side = int(size["height"])
        patches = side // patch_size
        pixels, masks, sizes, counts = [], [], [], []
        for image in images:
            columns, rows = _grid(image.shape[2], image.shape[1], side, dynamic_hd)
            fitted, width, height = _fit(image, columns * side, rows * side)
            if do_rescale:
                fitted = self.rescale(fitted, rescale_factor)
            if do_normalize:
                fitted = self.normalize(fitted, image_mean, image_std)
            whole = torch.from_numpy(np.ascontiguousarray(fitted, dtype=np.float32))
            # As the model was trained: all of the picture by plain bicubic sampling.
            small = F.interpolate(whole[None], (side, side), mode="bicubic", align_corners=False)
            pixels.append(torch.cat([small, _tiled(whole, side)]))
            mask = torch.zeros(rows * patches, columns * patches)
            mask[: _shown(height, rows * side, patch_size), : _shown(width, columns * side, patch_size)] = 1
            masks.append(torch.cat([torch.ones(1, patches, patches), _tiled(mask[None], patches)[:, 0]]))
            sizes.append([rows * side, columns * side])
            counts.append(_tokens(masks[-1][1:], rows, columns))
        most = max(map(len, pixels))
        data = {
            "image_pixel_values": torch.stack([_filled(tiles, most, 0.0) for tiles in pixels]),
            "image_sizes": torch.tensor(sizes),
            "image_attention_mask": torch.stack([_filled(tiles, most, 1.0) for tiles in masks]),
            "num_img_tokens": counts,
        }
        return BatchFeature(data=data, tensor_type=return_tensors)


def _grid(width: int, height: int, side: int, most: int) -> tuple[int, int]:
    """Columns and rows: as many tiles as the picture covers, or the nearest shape of at most `most` tiles."""
    columns, rows = math.ceil(width / side), math.ceil(height / side)
    if columns * rows <= most:
        return columns, rows
    return closest_grid(width, height, grids(1, most), side)


def _fit(image: Any, width: int, height: int) -> tuple[Any, int, int]:
    """(3, h, w) to (3, height, width): scaled until one side fits, white behind the other; with the scaled size."""
    scale = min(width / image.shape[2], height / image.shape[1])
    shown = min(width, max(1, int(image.shape[2] * scale))), min(height, max(1, int(image.shape[1] * scale)))
    canvas = Image.new("RGB", (width, height), "white")
    canvas.paste(Image.fromarray(np.moveaxis(image, 0, -1)).resize(shown, Image.Resampling.BILINEAR))
    return np.moveaxis(np.array(canvas), -1, 0), *shown


def _shown(shown: int, whole: int, patch: int) -> int:
    """Patches along a side of which only what is completely behind the picture is left out."""
    return whole // patch - (whole - shown) // patch


def _tiled(image: torch.Tensor, side: int) -> torch.Tensor:
    """(c, rows * side, columns * side) to (rows * columns, c, side, side)."""
    tiles = image.unfold(1, side, side).unfold(2, side, side)
    return tiles.permute(1, 2, 0, 3, 4).flatten(0, 1)


def _filled(tiles: torch.Tensor, count: int, value: float) -> torch.Tensor:
    return torch.cat([tiles, tiles.new_full((count - len(tiles), *tiles.shape[1:]), value)])


def _tokens(masks: torch.Tensor, rows: int, columns: int) -> int:
    """A token for each two by two patches of the small picture and of the shown part, one more behind every line of
    either, and one between the two. `masks`: (rows * columns, patches, patches)."""
    halved = masks[:, 0::2, 0::2]
    each = halved.shape[-1]
    laid = halved.view(rows, columns, each, each).transpose(1, 2).reshape(rows * each, columns * each)
    lines, width = int(laid[:, 0].sum()), int(laid[0].sum())
    return each * (each + 1) + 1 + lines * (width + 1)
