"""LFM2-VL's way of cutting a picture, on Pillow: transformers has it for torchvision only."""

import math
from typing import Any

import numpy as np
import torch
from transformers.feature_extraction_utils import BatchFeature
from transformers.image_processing_backends import PilBackend
from transformers.image_utils import PILImageResampling, SizeDict
from transformers.processing_utils import ImagesKwargs

from core.inference.tiles import closest_grid, grids


class Lfm2Kwargs(ImagesKwargs, total=False):
    """What a checkpoint may set besides the usual; sizes in pixels. A picture of more than `max_image_tokens` tokens
    times `max_pixels_tolerance` is cut into `min_tiles` to `max_tiles` tiles; others are scaled to fit in one."""

    downsample_factor: int
    do_image_splitting: bool
    min_tiles: int
    max_tiles: int
    use_thumbnail: bool
    min_image_tokens: int
    max_image_tokens: int
    encoder_patch_size: int
    tile_size: int
    max_pixels_tolerance: float
    return_row_col_info: bool


class Lfm2VlImageProcessor(PilBackend):
    """Scales a picture, or cuts it into tiles with all of it, small, behind them.

    Gives `pixel_values` (T, patches, 3 p p), filled up with zeros; `pixel_attention_mask` (T, patches);
    `spatial_shapes` (T, 2) rows and columns of patches. Named as in the checkpoints, whose files it reads.
    """

    downsample_factor = 2
    do_image_splitting = True
    min_tiles = 2
    max_tiles = 10
    use_thumbnail = True
    min_image_tokens = 64
    max_image_tokens = 256
    encoder_patch_size = 16
    tile_size = 512
    max_pixels_tolerance = 2.0
    resample = PILImageResampling.BILINEAR
    size = {"height": 512, "width": 512}
    do_rescale = True
    do_normalize = True
    do_convert_rgb = True
    return_row_col_info = False
    image_mean = [0.5, 0.5, 0.5]
    image_std = [0.5, 0.5, 0.5]
    valid_kwargs = Lfm2Kwargs
    model_input_names = ["pixel_values", "pixel_attention_mask", "spatial_shapes"]

    # Each processor has arguments of its own here.
    def _preprocess(  # type: ignore[override]
        self,
        images: list[Any],
        resample: Any,
        do_rescale: bool,
        rescale_factor: float,
        do_normalize: bool,
        image_mean: Any,
        image_std: Any,
        downsample_factor: int,
        do_image_splitting: bool,
        min_tiles: int,
        max_tiles: int,
        use_thumbnail: bool,
        min_image_tokens: int,
        max_image_tokens: int,
        encoder_patch_size: int,
        tile_size: int,
        max_pixels_tolerance: float,
        return_row_col_info: bool = False,
        return_tensors: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        unit = encoder_patch_size * downsample_factor
        splits = do_image_splitting and not min_tiles == max_tiles == 1
        all_tiles, grid_of, size_of = [], [], []
        for image in images:
            height, width = image.shape[1:]
            whole = _whole_size(height, width, unit, min_image_tokens, max_image_tokens)
            small = self.resize(image, SizeDict(height=whole[0], width=whole[1]), resample)
            columns = rows = 1
            tiles = [small]
            if splits and _snapped(height, width, unit) > max_image_tokens * unit**2 * max_pixels_tolerance:
                columns, rows = closest_grid(width, height, grids(min_tiles, max_tiles), tile_size)
                grid = SizeDict(height=rows * tile_size, width=columns * tile_size)
                tiles = _cut(self.resize(image, grid, resample), tile_size)
                if use_thumbnail and len(tiles) > 1:
                    tiles.append(small)
            all_tiles += tiles
            grid_of.append((rows, columns))
            size_of.append(list(whole))
        most = max(max_image_tokens * downsample_factor**2, (tile_size // encoder_patch_size) ** 2 if splits else 0)
        shapes = [[tile.shape[1] // encoder_patch_size, tile.shape[2] // encoder_patch_size] for tile in all_tiles]
        pixels = torch.zeros(len(all_tiles), most, 3 * encoder_patch_size**2)
        mask = torch.zeros(len(all_tiles), most, dtype=torch.int32)
        for number, tile in enumerate(all_tiles):
            if do_rescale:
                tile = self.rescale(tile, rescale_factor)
            if do_normalize:
                tile = self.normalize(tile, image_mean, image_std)
            patches = _patches(tile, encoder_patch_size)
            pixels[number, : len(patches)] = patches
            mask[number, : len(patches)] = 1
        data: dict[str, Any] = {
            "pixel_values": pixels,
            "pixel_attention_mask": mask,
            "spatial_shapes": torch.tensor(shapes),
        }
        if return_row_col_info:
            data |= {"image_rows": [rows for rows, _ in grid_of], "image_cols": [columns for _, columns in grid_of]}
            data |= {"image_sizes": size_of}
        return BatchFeature(data=data, tensor_type=return_tensors)


def _snapped(height: int, width: int, unit: int) -> int:
    """Pixels of a picture whose sides are rounded to multiples of `unit`."""
    return max(unit // 2, round(height / unit) * unit) * max(unit // 2, round(width / unit) * unit)


def _whole_size(height: int, width: int, unit: int, least: int, most: int) -> tuple[int, int]:
    """Height and width in multiples of `unit` at about the picture's shape, of `least` to `most` squares."""
    snapped = [max(unit, round(side / unit) * unit) for side in (height, width)]
    area = snapped[0] * snapped[1]
    if area > most * unit**2:
        scale = math.sqrt(most * unit**2 / (height * width))
        snapped = [max(unit, math.floor(side * scale / unit) * unit) for side in (height, width)]
        # A strip cannot become thinner than one square, so it becomes shorter.
        longest = most * unit**2 // min(snapped)
        snapped = [min(side, longest // unit * unit) for side in snapped]
    elif area < least * unit**2:
        scale = math.sqrt(least * unit**2 / (height * width))
        snapped = [math.ceil(side * scale / unit) * unit for side in (height, width)]
    return snapped[0], snapped[1]


def _cut(image: Any, side: int) -> list[Any]:
    """Tiles of (3, rows * side, columns * side), line by line."""
    return [
        image[:, top : top + side, left : left + side]
        for top in range(0, image.shape[1], side)
        for left in range(0, image.shape[2], side)
    ]


def _patches(tile: Any, side: int) -> torch.Tensor:
    """(3, h, w) to (patches, side * side * 3), line by line."""
    channels, height, width = tile.shape
    cut = tile.reshape(channels, height // side, side, width // side, side).transpose(1, 3, 2, 4, 0)
    return torch.from_numpy(np.ascontiguousarray(cut, dtype=np.float32)).reshape(-1, side * side * channels)
