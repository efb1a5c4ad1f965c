"""The primary picture of a HEIC file, through libheif. Runs in a reader process."""

import pi_heif
from PIL import Image

from core.media.guard import check_pixels
from core.media.limits import PictureLimits

# Only the picture is wanted; each of these is more of a stranger's bytes to parse.
pi_heif.options.THUMBNAILS = False
pi_heif.options.DEPTH_IMAGES = False
pi_heif.options.AUX_IMAGES = False
pi_heif.options.DECODE_THREADS = 1


def open_heif(data: bytes, limits: PictureLimits) -> Image.Image:
    """The decoded primary picture in 8 bits. libheif turns it upright itself.

    Raises:
        PictureTooManyPixels: by the header; nothing was decoded. libheif refuses pictures larger than their header.
        Exception: whatever libheif meets in broken bytes.
    """
    primary = pi_heif.open_heif(data, convert_hdr_to_8bit=True)
    check_pixels(primary.size, limits)
    image: Image.Image = primary.to_pillow()
    # Rotation in Exif was applied already; libheif's users must not do it twice.
    image.info = {key: value for key, value in image.info.items() if key == "icc_profile"}
    return image
