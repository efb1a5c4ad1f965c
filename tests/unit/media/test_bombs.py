"""Small files that would take much more than they seem to: refused by the header, or by the reader process's cage."""

import struct
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest

from core.errors import PictureBroken, PictureError, PictureTooManyPixels, TooManyPages
from core.media.limits import PictureLimits
from core.media.pictures import read_pictures
from core.media.reader import Reader
from tests.unit.media.corpus import LIMITS, one_of_each, pages, pdf, png, quarters, saved, stream, tiff

SIDE = 10_000


def flat_png(side: int) -> bytes:
    packer, row = zlib.compressobj(9), bytes(1 + side // 8)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    whole = png(side, side, 0, b"", depth=1)
    at = whole.index(b"IDAT") - 4
    chunk = struct.pack(">I", len(body)) + b"IDAT" + body + struct.pack(">I", zlib.crc32(b"IDAT" + body))
    return whole[:at] + chunk + whole[-12:]


def with_size(name: str, at: int, form: str, *numbers: int) -> bytes:
    """A valid file whose header lies."""
    data = one_of_each()[name]
    return data[:at] + struct.pack(form, *numbers) + data[at + struct.calcsize(form) :]


def jpeg_that_lies() -> bytes:
    data = one_of_each()["jpeg"]
    return with_size("jpeg", data.index(b"\xff\xc0") + 5, ">HH", 65_000, 65_000)


def container_that_lies(name: str, side: int) -> bytes:
    data = one_of_each()[name]
    return with_size(name, data.index(b"ispe") + 8, ">II", side, side)


BOMBS: dict[str, Callable[[], bytes]] = {
    "11 KiB PNG of 100 megapixels": lambda: flat_png(SIDE),
    "PNG of 4 gigapixels": lambda: png(2**31 - 1, 2, 2, b"\0"),
    "GIF with a huge screen": lambda: with_size("gif", 6, "<HH", 65_535, 65_535),
    "GIF with a huge frame on a small screen": lambda: with_size(
        "gif", one_of_each()["gif"].index(b",") + 5, "<HH", 65_535, 65_535
    ),
    "JPEG header that lies": jpeg_that_lies,
    "WebP canvas that lies": lambda: (
        with_size("webp-animated", 24, "<I", 0xFFFFFF)[:27] + b"\xff\x3f\0" + one_of_each()["webp-animated"][30:]
    ),
    "WebP of 16383 x 16383": lambda: with_size("webp", 26, "<HH", 16_383, 16_383),
    "BMP header that lies": lambda: with_size("bmp", 18, "<ii", 2**31 - 1, 1000),
    "TIFF header that lies": lambda: tiff({256: (1, 65_535), 257: (1, 65_535), 258: (1, 8), 273: (1, 8), 279: (1, 8)}),
    "AVIF header that lies": lambda: container_that_lies("avif", 12_000),
    "HEIC header that lies": lambda: container_that_lies("heic", 12_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_too_many_pixels_are_refused_by_the_header(name: str) -> None:
    data = BOMBS[name]()
    assert len(data) < 32_000
    with pytest.raises(PictureTooManyPixels) as refused:
        read_pictures(data, LIMITS)
    assert "25 megapixels" in refused.value.user_message


def test_the_limit_is_exact() -> None:
    at = PictureLimits(10_000_000, 96 * 64, 10)
    below = PictureLimits(10_000_000, 96 * 64 - 1, 10)
    for name, data in one_of_each().items():
        if name == "pdf":
            continue
        assert len(read_pictures(data, at)) == 1
        with pytest.raises(PictureTooManyPixels, match=r"96 × 64 pixels, more than 6,143 pixels"):
            read_pictures(data, below)


def test_zero_pixels_are_broken() -> None:
    for data in (with_size("bmp", 18, "<ii", 0, 0), with_size("webp", 26, "<HH", 0, 0), png(0, 0, 2, b"")):
        with pytest.raises(PictureBroken):
            read_pictures(data, LIMITS)


LIARS: dict[str, Callable[[], bytes]] = {
    # The header says little, the coded picture is 36 and 4 megapixels.
    "AVIF": lambda: smaller_header(saved(quarters(6000, 6000), "AVIF", speed=10, quality=20, max_threads=1)),
    "HEIC": lambda: smaller_header(saved(quarters(2000, 2000), "HEIC", quality=20)),
    "TIFF with a huge tile": lambda: tiff(
        {
            256: (1, 64),
            257: (1, 64),
            258: (1, 8),
            259: (1, 5),
            262: (1, 1),
            277: (1, 1),
            322: (1, 65_520),
            323: (1, 65_520),
            324: (1, 8),
            325: (1, 8),
        },
        b"\x80\0\0\0\0\0\0\0",
    ),
    "TIFF with 200,000 strips": lambda: tiff(
        {
            256: (1, 1000),
            257: (1, 1000),
            258: (1, 8),
            262: (1, 1),
            273: (200_000, 8),
            277: (1, 1),
            278: (1, 1),
            279: (200_000, 8),
        },
        bytes(800_000),
    ),
    "PNG with a text of 100 MB": lambda: bloated_png(b"zTXt", b"Comment\0\0", 100_000_000),
    "PNG with a profile of 100 MB": lambda: bloated_png(b"iCCP", b"icc\0\0", 100_000_000),
}


def smaller_header(data: bytes) -> bytes:
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", 64, 64) + data[at + 8 :]


def bloated_png(kind: bytes, start: bytes, count: int) -> bytes:
    body = start + zlib.compress(bytes(count), 9)
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    whole = one_of_each()["png"]
    return whole[:33] + chunk + whole[33:]


@pytest.mark.parametrize("name", LIARS)
def test_a_lie_beyond_the_header_costs_one_picture_at_most(name: str) -> None:
    reader = Reader(processes=1)
    try:
        with suppress(PictureError):
            (picture,) = read_pictures(LIARS[name](), LIMITS, reader)
            assert picture.width <= 1000
        assert len(read_pictures(one_of_each()["png"], LIMITS, reader)) == 1
    finally:
        reader.close()


def nested_forms(depth: int, fan: int) -> bytes:
    """A page that draws a form `fan` times, which draws a form `fan` times … `depth` deep."""
    forms = [
        stream(
            b"/X Do\n" * fan, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>>>" % (6 + i)
        )
        for i in range(depth)
    ]
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>",
        stream(b"/X Do"),
        *forms,
        stream(b"0 0 9 9 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"),
    )


def test_a_pdf_that_would_kill_its_process_kills_only_a_reader() -> None:
    reader = Reader(processes=1)
    try:
        bomb = nested_forms(11, 10)
        assert len(bomb) < 4096
        with pytest.raises(PictureError) as refused:
            # Fewer pixels, less memory: the end comes sooner.
            read_pictures(bomb, PictureLimits(10_000_000, 1000, 10), reader)
        assert "JPEG or PNG" in refused.value.user_message
        assert reader.lost == 1
        assert len(read_pictures(nested_forms(2, 3), LIMITS, reader)) == 1
        assert reader.lost == 1
    finally:
        reader.close()


def test_a_pdf_page_as_large_as_a_house_is_rendered_small() -> None:
    (picture,) = read_pictures(pages((2_000_000, 1_000_000)), LIMITS)
    assert picture.width * picture.height <= LIMITS.keep_pixels
    assert picture.width == pytest.approx(2 * picture.height, abs=2)


def test_a_pdf_with_too_many_pages() -> None:
    assert len(read_pictures(pages(*[(20, 20)] * 10), LIMITS)) == 10
    with pytest.raises(TooManyPages) as refused:
        read_pictures(pages(*[(20, 20)] * 11), LIMITS)
    assert refused.value.user_message.startswith("This PDF has 11 pages, more than 10.")


def test_a_pdf_that_claims_a_million_pages() -> None:
    with pytest.raises((TooManyPages, PictureBroken)):
        read_pictures(pages((20, 20)).replace(b"/Count 1>>", b"/Count 1000000>>"), LIMITS)
