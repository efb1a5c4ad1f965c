"""Bytes of a known format to safe pictures. Runs in a reader process: see `core.media.reader`."""

from collections.abc import Iterable

from PIL import Image

from core.errors import PictureBroken, PictureError, PictureTooManyPixels
from core.media.encode import make_safe
from core.media.heif import open_heif
from core.media.limits import PictureLimits, spoken_pixels
from core.media.pdf import open_pages
from core.media.raster import open_raster
from core.media.safe_picture import SafePicture
from core.media.sniff import Format


def decode(data: bytes, name: Format, limits: PictureLimits) -> list[SafePicture]:
    """One picture, or one for each page of a PDF or TIFF.

    Raises:
        PictureError: and nothing else, whatever the bytes are.
    """
    try:
        return [make_safe(image, limits.keep_pixels) for image in _images(data, name, limits)]
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooManyPixels(
            str(error),
            user_message=(
                f"This picture has more than {spoken_pixels(limits.max_pixels)}. Please send a smaller version."
            ),
        ) from error
    except MemoryError as error:
        raise PictureError(
            f"{name}: out of memory",
            user_message="This file needs too much memory to open. Please send it as JPEG or PNG.",
        ) from error
    except Exception as error:
        # Decoders meet broken bytes with errors of every kind: OSError, struct.error, IndexError …
        raise PictureBroken(f"{name}: {type(error).__name__}: {error}") from error


def _images(data: bytes, name: Format, limits: PictureLimits) -> Iterable[Image.Image]:
    if name is Format.PDF:
        return open_pages(data, limits)
    if name is Format.HEIC:
        return (open_heif(data, limits),)
    return open_raster(data, name, limits)
