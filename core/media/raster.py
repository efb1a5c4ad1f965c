"""The first frame of a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF file, through Pillow. Runs in a reader process."""

import warnings
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


def open_raster(data: bytes, name: Format, limits: PictureLimits) -> Image.Image:
    """The decoded first frame, in whatever mode it has; a JPEG may come smaller already, never below what is kept.

    Raises:
        PictureTooManyPixels: by the header; nothing was decoded.
        Exception: whatever Pillow meets in broken bytes; the caller turns it into a typed error.
    """
    with warnings.catch_warnings():
        # catch_warnings is not thread-safe; a reader process has one thread.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image = Image.open(BytesIO(data), formats=[name.value])
        check_pixels(image.size, limits)
        # libjpeg can decode at 1/2, 1/4 or 1/8 of the size: less memory and time for the same result.
        image.draft(None, kept_size(image.size, limits.keep_pixels))
        image.load()
    # Where a frame is larger than the header said.
    check_pixels(image.size, limits)
    return image
