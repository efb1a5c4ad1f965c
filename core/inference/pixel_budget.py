"""How many pixels of a picture are looked at, in the words of each family's image processor.

Processors take the same word for different things: `size["longest_edge"]` is an area in one, a side in the next. Sent
to the wrong one, a bound becomes tens of thousands of tokens.
"""

import math
from collections.abc import Callable
from typing import Any

# A picture of more pixels is reduced to this before it is cut into patches: about 2,700 tokens for GLM and Qwen.
PIXEL_BUDGET = 2 * 1024 * 1024

# (image processor, pixels): lowers what the processor makes of a picture to about so many pixels; never raises it.
Limit = Callable[[Any, int], None]


def area(unit: int) -> Limit:
    """GLM, Qwen: `size["longest_edge"]` is an area, of `unit` for each pixel (GLM counts a still picture twice)."""

    def limit(processor: Any, pixels: int) -> None:
        size = dict(processor.size)
        size["longest_edge"] = min(size["longest_edge"], unit * pixels)
        processor.size = size

    return limit


def tokens(processor: Any, pixels: int) -> None:
    """GLM-5: `max_image_tokens`, each of `merge_size` by `merge_size` patches."""
    token = (processor.patch_size * processor.merge_size) ** 2
    processor.max_image_tokens = min(processor.max_image_tokens, max(1, pixels // token))


def side(processor: Any, pixels: int) -> None:
    """SmolVLM, Idefics3: `size["longest_edge"]` is a side, a multiple of the side of the tiles."""
    tile = processor.max_image_size["longest_edge"]
    size = dict(processor.size)
    size["longest_edge"] = min(size["longest_edge"], max(1, round(math.sqrt(pixels) / tile)) * tile)
    processor.size = size


def tiles(most: str, tile: Callable[[Any], int]) -> Limit:
    """InternVL, Phi-4, LFM2-VL: the attribute `most` is a number of tiles of `tile` pixels each."""

    def limit(processor: Any, pixels: int) -> None:
        setattr(processor, most, min(getattr(processor, most), max(1, pixels // tile(processor))))

    return limit


def sized(processor: Any) -> int:
    """Pixels of a tile of the processor's `size`."""
    return int(processor.size["height"] * processor.size["width"])


def fixed(processor: Any, pixels: int) -> None:
    """LLaVA, LLaVA-NeXT, PaliGemma, Gemma: a picture becomes one of few fixed sizes, all below the budget."""
