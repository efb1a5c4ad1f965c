"""How large a picture is kept."""

from math import isqrt, sqrt

from PIL import Image

# Longer sides than this many times the side of the kept square: a strip that no model reads and JPEG cannot hold.
_LONGEST = 4
# Models refuse thinner pictures (Qwen-VL and GLM-V from 200:1 on); white margins make them readable.
_THINNEST = 100


def kept_size(size: tuple[int, int], keep_pixels: int) -> tuple[int, int]:
    """The largest size of the same shape with at most `keep_pixels` pixels; never larger than `size`.

    The area is bounded and not the side, so that a long screenshot keeps letters that can be read.
    """
    width, height = size
    scale = min(1.0, sqrt(keep_pixels / (width * height)), _LONGEST * isqrt(keep_pixels) / max(width, height))
    if scale == 1.0:
        return size
    return max(1, int(width * scale)), max(1, int(height * scale))


def shrink(image: Image.Image, keep_pixels: int) -> Image.Image:
    """`image` at its kept size; itself where that is the size it has."""
    size = kept_size(image.size, keep_pixels)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def widen(image: Image.Image) -> Image.Image:
    """An RGB `image` with white margins where it is thinner than any model takes."""
    least = -(-max(image.size) // _THINNEST)
    width, height = max(image.width, least), max(image.height, least)
    if (width, height) == image.size:
        return image
    canvas = Image.new("RGB", (width, height), "white")
    canvas.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return canvas
