"""The first frame of a JPEG, PNG, WebP, GIF, BMP or AVIF file, or the pages of a TIFF, through Pillow.

Runs in a reader process.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

# Pillow looks for a format's plugin when it is first asked for. Named here, all are there before memory is limited.
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from core.media.fit import kept_size
from core.media.guard import check_pixels
from core.media.limits import PictureLimits
from core.media.sniff import Format
from core.media.tiff import check_planes, page_numbers

__all__ = ["open_raster"]

_PLUGINS = (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
# The reader decodes one picture at a time; all cores belong to the model.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def open_raster(data: bytes, name: Format, limits: PictureLimits) -> Iterator[Image.Image]:
    """The decoded first frame, or each page of a TIFF, in whatever mode it has. Use one before asking for the next.

    A JPEG may come smaller already, never below what is kept.

    Raises:
        PictureTooManyPixels: by the header; nothing was decoded.
        TooManyPages: before anything was decoded.
        PictureFormatNotAllowed: a TIFF that would come out in wrong colours.
        Exception: whatever Pillow meets in broken bytes; the caller turns it into a typed error.
    """
    with _bombs_raise():
        image = Image.open(BytesIO(data), formats=[name.value])
        numbers = page_numbers(image, limits) if isinstance(image, TiffImagePlugin.TiffImageFile) else [0]
    for number in numbers:
        with _bombs_raise():
            _load(image, number, limits)
        # Where a frame is larger than the header said.
        check_pixels(image.size, limits)
        yield image


def _load(image: Image.Image, number: int, limits: PictureLimits) -> None:
    if number:
        # Pillow would lend a page without a profile that of the page before.
        image.info.pop("icc_profile", None)
        image.seek(number)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        check_planes(image)
    check_pixels(image.size, limits)
    # libjpeg can decode at 1/2, 1/4 or 1/8 of the size: less memory and time for the same result.
    image.draft(None, kept_size(image.size, limits.keep_pixels))
    image.load()


@contextmanager
def _bombs_raise() -> Iterator[None]:
    """Pillow's warning of too many pixels is an error; its other warnings are nothing."""
    with warnings.catch_warnings():
        # catch_warnings is not thread-safe; a reader process has one thread.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield
