import struct
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from core.errors import PictureBroken, PictureFormatNotAllowed, PictureTooManyPixels, TooManyPages
from core.media.decode import decode
from core.media.limits import PictureLimits
from core.media.pictures import read_pictures
from core.media.sniff import Format
from tests.unit.media.corpus import BLUE, GREEN, LIMITS, RED, YELLOW, corners, near, quarters, saved, swapped

TINY = 4


def document(*images: Image.Image, each: Sequence[dict[str, Any]] = (), **options: Any) -> bytes:
    """A TIFF with a page for each of `images`; `each` has more of Pillow's options for one page after the other."""
    first, *others = images
    for image, more in zip(others, each[1:], strict=False):
        # Where Pillow looks for what holds for one page only.
        image.encoderinfo = dict(more)
    for_first = each[0] if each else {}
    return saved(first, "TIFF", save_all=True, append_images=others, **options, **for_first)


def of_kind(kind: int) -> dict[str, Any]:
    return {"tiffinfo": {254: kind}}


def planar(values: list[int], bits: int, photometric: int) -> bytes:
    """A TIFF of one colour, uncompressed, with each channel in a plane of its own."""
    form = f"<{TINY * TINY}{'H' if bits == 16 else 'B'}"
    planes = [struct.pack(form, *[value] * (TINY * TINY)) for value in values]
    fields = {
        256: [TINY],
        257: [TINY],
        258: [bits] * len(values),
        259: [1],
        262: [photometric],
        273: [8 + n * len(planes[0]) for n in range(len(planes))],
        277: [len(values)],
        278: [TINY],
        279: [len(plane) for plane in planes],
        284: [2],
    }
    data = b"".join(planes)
    table, beyond, start = b"", b"", 8 + len(data)
    for tag, numbers in fields.items():
        packed = struct.pack(f"<{len(numbers)}H", *numbers)
        value = packed.ljust(4, b"\0")
        if len(packed) > 4:
            value = struct.pack("<I", start + 6 + 12 * len(fields) + len(beyond))
            beyond += packed
        table += struct.pack("<HHI", tag, 3, len(numbers)) + value
    return struct.pack("<2sHI", b"II", 42, start) + data + struct.pack("<H", len(fields)) + table + bytes(4) + beyond


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "jpeg"])
def test_every_page_becomes_a_picture_in_order(compression: str) -> None:
    data = document(quarters(), quarters(40, 80), quarters().rotate(180), compression=compression)
    pictures = read_pictures(data, LIMITS)
    assert [(p.width, p.height) for p in pictures] == [(96, 64), (40, 80), (96, 64)]
    shown = [corners(Image.open(BytesIO(p.data))) for p in pictures]
    for colours, expected in zip(shown, ([RED, GREEN, BLUE, YELLOW],) * 2 + ([YELLOW, BLUE, GREEN, RED],), strict=True):
        assert all(near(a, b, 40) for a, b in zip(colours, expected, strict=True)), colours


def test_pages_of_different_kinds() -> None:
    kinds = [quarters(), quarters().convert("1"), quarters().quantize(8), quarters().convert("CMYK")]
    for picture in read_pictures(document(*kinds), LIMITS):
        assert (picture.width, picture.height) == (96, 64)


def test_a_profile_counts_for_its_own_page() -> None:
    each = [{"icc_profile": profile} for profile in (swapped(), None, swapped())]
    data = document(quarters(), quarters(), quarters(), each=each)
    shown = [corners(Image.open(BytesIO(picture.data)))[0] for picture in read_pictures(data, LIMITS)]
    assert all(near(a, b, 40) for a, b in zip(shown, (RED[::-1], RED, RED[::-1]), strict=True)), shown


def test_too_many_pages_are_refused_by_number() -> None:
    page = Image.new("1", (8, 8))
    assert len(read_pictures(document(*[page] * 10), LIMITS)) == 10
    with pytest.raises(TooManyPages) as refused:
        read_pictures(document(*[page] * 11), LIMITS)
    assert refused.value.user_message.startswith("This TIFF has more than 10 pages.")


def test_every_page_is_measured_before_it_is_decoded() -> None:
    limits = PictureLimits(10_000_000, 96 * 64, 10)
    assert len(read_pictures(document(quarters(), quarters()), limits)) == 2
    with pytest.raises(PictureTooManyPixels, match="97 × 64 pixels"):
        read_pictures(document(quarters(), quarters(97, 64)), limits)


def test_a_lost_page_is_not_passed_over() -> None:
    data = document(quarters(), quarters().rotate(180))
    with pytest.raises(PictureBroken):
        read_pictures(data[: len(data) * 3 // 4], LIMITS)


def test_pages_that_lead_back_to_the_first_end() -> None:
    data = bytearray(document(quarters(), quarters()))
    first = struct.unpack_from("<I", data, 4)[0]
    (count,) = struct.unpack_from("<H", data, first)
    second = struct.unpack_from("<I", data, first + 2 + 12 * count)[0]
    struct.pack_into("<I", data, second + 2 + 12 * struct.unpack_from("<H", data, second)[0], first)
    assert len(read_pictures(bytes(data), LIMITS)) == 2


@pytest.mark.parametrize("kind", [0b001, 0b100, 0b101], ids=["smaller version", "mask", "smaller mask"])
def test_smaller_versions_and_masks_are_no_pages(kind: int) -> None:
    each = [of_kind(0), of_kind(kind), of_kind(0b010)]
    data = document(quarters(), quarters(48, 32), quarters(40, 80), each=each)
    assert [(p.width, p.height) for p in read_pictures(data, LIMITS)] == [(96, 64), (40, 80)]


def of_unknown_mode(kind: int) -> bytes:
    """A page and a frame of `kind`, which Pillow cannot decode."""
    data = document(quarters(), Image.new("1", (96, 64)), each=[of_kind(0), of_kind(kind)])
    known, unknown = (struct.pack("<HHIHH", 262, 3, 1, photometric, 0) for photometric in (1, 4))
    assert data.count(known) == 1
    return data.replace(known, unknown)


def test_a_mask_that_cannot_be_decoded_is_passed_over_and_such_a_page_is_not() -> None:
    assert len(read_pictures(of_unknown_mode(0b100), LIMITS)) == 1
    with pytest.raises(PictureBroken):
        read_pictures(of_unknown_mode(0), LIMITS)


def test_a_file_of_smaller_versions_only_shows_its_first() -> None:
    data = document(quarters(), quarters(48, 32), each=[of_kind(1), of_kind(1)])
    assert [(p.width, p.height) for p in read_pictures(data, LIMITS)] == [(96, 64)]


@pytest.mark.parametrize(
    ("values", "bits", "photometric"),
    [([0x8000, 0x40FF, 0x20C0], 16, 2), ([0x8000], 16, 1), ([200], 8, 0)],
    ids=["RGB of 16 bits", "grey of 16 bits", "white as zero"],
)
def test_planes_that_would_come_out_wrongly_are_refused(values: list[int], bits: int, photometric: int) -> None:
    with pytest.raises(PictureFormatNotAllowed) as refused:
        read_pictures(planar(values, bits, photometric), LIMITS)
    assert refused.value.user_message.startswith("This TIFF keeps its colours in separate planes")
    assert "JPEG or PNG" in refused.value.user_message


def test_planes_of_8_bits_are_put_together() -> None:
    (picture,) = decode(planar([200, 100, 50], 8, 2), Format.TIFF, LIMITS)
    assert corners(Image.open(BytesIO(picture.data))) == [(200, 100, 50)] * 4
