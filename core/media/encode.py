"""From a decoded picture to the one form in which pictures are kept."""

from io import BytesIO

from PIL import ExifTags, Image

from core.media.colour import simplify, to_srgb
from core.media.fit import shrink, widen
from core.media.safe_picture import SafePicture

# Drawings, screenshots and pages of text have few colours: PNG is small there and leaves letters sharp. A grey photo
# has few colours, too, but not that few bytes.
_FLAT_COLOURS = 4096
_FLAT_BYTES_PER_PIXEL = 0.5
# Below this PNG costs little (at most 768 KiB), and a small picture has no detail to lose.
_SMALL_PIXELS = 512 * 512
# For photos: no difference that a model or a person sees, at a tenth of PNG's size. Colour is kept at full resolution,
# because halving it blurs coloured letters.
_JPEG_QUALITY = 92
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def make_safe(image: Image.Image, keep_pixels: int) -> SafePicture:
    """Scale, recolour, turn upright and encode a decoded `image`. The same pixels always give the same bytes."""
    turn = _TURNS.get(_orientation(image))
    profile = image.info.get("icc_profile")
    small = shrink(simplify(image), keep_pixels)
    upright = to_srgb(small, profile)
    if turn is not None:
        upright = upright.transpose(turn)
    upright = widen(upright)
    # Painted onto a new canvas: nothing but pixels comes along.
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    data, media_type = _encode(clean)
    return SafePicture.of(data, media_type, clean.width, clean.height)


def _encode(image: Image.Image) -> tuple[bytes, str]:
    out = BytesIO()
    pixels = image.width * image.height
    if pixels <= _SMALL_PIXELS or image.getcolors(_FLAT_COLOURS) is not None:
        image.save(out, "PNG")
        if pixels <= _SMALL_PIXELS or out.tell() <= pixels * _FLAT_BYTES_PER_PIXEL:
            return out.getvalue(), "image/png"
        out = BytesIO()
    image.save(out, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return out.getvalue(), "image/jpeg"


def _orientation(image: Image.Image) -> int:
    """The Exif orientation; 1, upright, where none can be read: broken metadata does not spoil a good picture."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1
