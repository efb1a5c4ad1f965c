import struct
from io import BytesIO

import pillow_heif
import pytest
from PIL import Image

from core.media.decode import decode
from core.media.sniff import sniff
from tests.unit.media.corpus import BLUE, GREEN, LIMITS, RED, YELLOW, corners, near, one_of_each, quarters, saved

# How the upright picture lies in the file, by orientation: the inverse of the turn that the number asks for.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def turned(name: str, orientation: int) -> bytes:
    turn = STORED[orientation]
    image = quarters() if turn is None else quarters().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95}, "WEBP": {"quality": 95}, "AVIF": {"quality": 95, "max_threads": 1}}
    if name == "HEIC":
        out = BytesIO()
        heif = pillow_heif.from_pillow(image)
        heif.info["exif"] = exif.tobytes()
        heif.save(out, quality=95)
        return out.getvalue()
    if name == "TIFF":
        return saved(image, "TIFF", tiffinfo={0x0112: orientation})
    return saved(image, name, exif=exif, **options.get(name, {}))


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIC"])
def test_pictures_come_out_upright(name: str, orientation: int) -> None:
    data = turned(name, orientation)
    (picture,) = decode(data, sniff(data), LIMITS)
    image = Image.open(BytesIO(picture.data))
    assert image.size == (picture.width, picture.height) == (96, 64)
    expected = [RED, GREEN, BLUE, YELLOW]
    assert all(near(a, b, 40) for a, b in zip(corners(image), expected, strict=True)), corners(image)
    assert 0x0112 not in image.getexif()


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(quarters(), "PNG", exif=exif)
    (picture,) = decode(data, sniff(data), LIMITS)
    assert (picture.width, picture.height) == (96, 64)


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"not a directory at all",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 0x0112, 2, 9, 0xFFFFFF00),
        b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHI4s", 0x0112, 2, 4, b"six\0"),
    ],
)
def test_broken_exif_does_not_spoil_a_good_picture(exif: bytes) -> None:
    # An APP1 segment right after the start of a JPEG that has none.
    plain = one_of_each()["jpeg"]
    body = b"Exif\0\0" + exif
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]
    (picture,) = decode(data, sniff(data), LIMITS)
    assert (picture.width, picture.height) == (96, 64)
