"""From every mode that Pillow knows to 8-bit RGB in sRGB on white: what models see."""

import math
from io import BytesIO

from PIL import Image, ImageCms

# The largest CMYK printing profiles have some 3 MB; more is not worth parsing.
_MAX_PROFILE = 4 * 1024 * 1024
_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}
# Input, display, output and colour-space profiles; device links and named colours describe no picture.
_PROFILE_CLASSES = {"scnr", "mntr", "prtr", "spac"}
_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.createProfile("LAB")
# Ranges that whole numbers are meant in: 12-bit sensors in 16-bit files, then 16 bits.
_DEPTHS = (4095, 65535)


def simplify(image: Image.Image) -> Image.Image:
    """A mode that can be scaled smoothly: palettes, single bits and unusual alpha resolved, the rest as it is."""
    if image.mode.startswith("I"):
        return image.convert("I").convert("F") if image.mode != "I" else image.convert("F")
    if image.mode in ("F", "CMYK", "YCbCr", "LAB"):
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """`image`, one of `simplify`'s modes, as RGB; colours by its ICC `profile` where that is usable."""
    alpha = None
    if image.mode == "F":
        image = _eight_bits(image)
    elif image.mode == "RGBA":
        alpha, image = image.getchannel("A"), image.convert("RGB")
    elif image.mode == "YCbCr":
        image = image.convert("RGB")
    image = _by_profile(image, profile) or _plain_rgb(image)
    if alpha is None:
        return image
    # White, like the page or the chat that the picture was drawn for.
    on_white = Image.new("RGB", image.size, "white")
    on_white.paste(image, mask=alpha)
    return on_white


def _eight_bits(image: Image.Image) -> Image.Image:
    """Numbers of any range as 0 to 255. What was meant by the numbers is guessed from the largest."""
    low, high = image.getextrema()
    assert isinstance(low, float)
    assert isinstance(high, float)
    if not (math.isfinite(low) and math.isfinite(high)) or (low >= 0 and high <= 1):
        low, high = 0.0, 1.0
    elif low >= 0 and (depth := next((depth for depth in _DEPTHS if high <= depth), None)):
        low, high = 0.0, float(depth)
    scale = 255 / (high - low) if high > low else 0.0
    return image.point(lambda value: value * scale - low * scale).convert("L")


def _by_profile(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """`image` in sRGB by its profile; None where there is no profile or it cannot be used, which harms little."""
    if not isinstance(profile, bytes) or not 128 <= len(profile) <= _MAX_PROFILE:
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space.strip() != _PROFILE_SPACES[image.mode]:
            return None
        if source.profile.device_class.strip() not in _PROFILE_CLASSES:
            return None
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _plain_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "LAB":
        converted = ImageCms.profileToProfile(image, _LAB, _SRGB, outputMode="RGB")
        assert converted is not None
        return converted
    return image.convert("RGB")
