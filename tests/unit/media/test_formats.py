import struct
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image, ImageMath

from core.media.decode import decode
from core.media.pictures import read_pictures
from core.media.safe_picture import SafePicture
from core.media.sniff import sniff
from tests.unit.media.corpus import (
    BLUE,
    GREEN,
    LIMITS,
    RED,
    YELLOW,
    corners,
    near,
    one_of_each,
    png,
    quarters,
    saved,
)

COLOURS = [RED, GREEN, BLUE, YELLOW]


def opened(picture: SafePicture) -> Image.Image:
    image = Image.open(BytesIO(picture.data))
    assert image.mode == "RGB"
    assert image.size == (picture.width, picture.height)
    assert image.get_format_mimetype() == picture.media_type
    return image


def made_safe(data: bytes) -> Image.Image:
    (picture,) = decode(data, sniff(data), LIMITS)
    return opened(picture)


def grey(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    level = Image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0))
    assert isinstance(level, int)
    return (level, level, level)


@pytest.mark.parametrize("name", [n for n in one_of_each() if n not in ("pdf", "tiff-g4")])
def test_every_format_shows_what_was_drawn_in_its_first_frame(name: str) -> None:
    (picture,) = read_pictures(one_of_each()[name], LIMITS)
    image = opened(picture)
    assert image.size == (96, 64)
    assert all(near(a, b) for a, b in zip(corners(image), COLOURS, strict=True))


COLOURED: dict[str, Callable[[], bytes]] = {
    "PNG palette of 4 colours": lambda: saved(quarters().quantize(4), "PNG", bits=2),
    "PNG of 16 bits a channel": lambda: png16(quarters()),
    "PNG interlaced animation": lambda: saved(quarters(), "PNG", save_all=True, append_images=[quarters().rotate(180)]),
    "JPEG in CMYK": lambda: saved(quarters().convert("CMYK"), "JPEG", quality=95),
    "JPEG of several pictures": lambda: saved(quarters(), "MPO", save_all=True, append_images=[quarters().rotate(90)]),
    "TIFF in CMYK": lambda: saved(quarters().convert("CMYK"), "TIFF"),
    "TIFF in YCbCr": lambda: saved(quarters().convert("YCbCr"), "TIFF"),
    "TIFF palette": lambda: saved(quarters().quantize(8), "TIFF"),
    "TIFF with JPEG inside": lambda: saved(quarters(), "TIFF", compression="jpeg", quality=95),
    "TIFF deflated": lambda: saved(quarters(), "TIFF", compression="tiff_adobe_deflate"),
    "TIFF packed bits": lambda: saved(quarters(), "TIFF", compression="packbits"),
    "TIFF with alpha": lambda: saved(quarters().convert("RGBA"), "TIFF"),
    "BMP palette": lambda: saved(quarters().quantize(16), "BMP"),
    "BMP of 32 bits": lambda: saved(quarters().convert("RGBA"), "BMP"),
    "BMP run-length coded": lambda: bmp_rle(quarters()),
    "GIF interlaced": lambda: saved(quarters(), "GIF", interlace=1),
    "WebP with alpha": lambda: saved(quarters().convert("RGBA"), "WEBP", lossless=True),
    "AVIF with alpha": lambda: saved(quarters().convert("RGBA"), "AVIF", quality=95, max_threads=1),
    "AVIF animated": lambda: saved(
        quarters(), "AVIF", save_all=True, append_images=[quarters().rotate(90)], quality=95, max_threads=1
    ),
    "HEIC with alpha": lambda: saved(quarters().convert("RGBA"), "HEIC", quality=95),
    "HEIC in tiles": lambda: saved(quarters(), "HEIC", quality=95, tile_size=64),
}


@pytest.mark.parametrize("name", COLOURED)
def test_odd_colour_modes(name: str) -> None:
    image = made_safe(COLOURED[name]())
    assert image.size == (96, 64)
    assert all(near(a, b, 40) for a, b in zip(corners(image), COLOURS, strict=True)), corners(image)


GREY: dict[str, Callable[[], bytes]] = {
    "PNG grey": lambda: saved(quarters().convert("L"), "PNG"),
    "PNG grey with alpha": lambda: saved(quarters().convert("LA"), "PNG"),
    "PNG grey of 16 bits": lambda: saved(sixteen(quarters(), 257), "PNG"),
    "PNG grey of 12 bits in 16": lambda: saved(sixteen(quarters(), 16), "PNG"),
    "TIFF grey of 16 bits": lambda: saved(sixteen(quarters(), 257), "TIFF"),
    "TIFF grey of 16 bits, the other end first": lambda: saved(
        Image.frombytes("I;16B", (96, 64), sixteen(quarters(), 257).tobytes("raw", "I;16B")), "TIFF"
    ),
    "TIFF of 32-bit numbers": lambda: saved(spread(quarters(), "I", 257), "TIFF"),
    "TIFF of real numbers from 0 to 1": lambda: saved(spread(quarters(), "F", 1 / 255), "TIFF"),
    "JPEG grey": lambda: saved(quarters().convert("L"), "JPEG", quality=95),
    "BMP grey": lambda: saved(quarters().convert("L"), "BMP"),
    "GIF grey": lambda: saved(quarters().convert("L"), "GIF"),
    "TIFF grey with alpha": lambda: saved(quarters().convert("LA"), "TIFF"),
    "HEIC grey": lambda: saved(quarters().convert("L"), "HEIC", quality=95),
    "AVIF grey": lambda: saved(quarters().convert("L"), "AVIF", quality=95, max_threads=1),
}


@pytest.mark.parametrize("name", GREY)
def test_odd_grey_modes(name: str) -> None:
    image = made_safe(GREY[name]())
    assert image.size == (96, 64)
    assert all(near(a, grey(b)) for a, b in zip(corners(image), COLOURS, strict=True)), corners(image)


@pytest.mark.parametrize("name", ["PNG", "TIFF", "BMP", "GIF"])
def test_single_bits_become_black_and_white(name: str) -> None:
    bits = Image.new("1", (96, 64), 1)
    bits.paste(0, (0, 0, 48, 32))
    image = made_safe(saved(bits, name))
    assert corners(image) == [(0, 0, 0), (255, 255, 255), (255, 255, 255), (255, 255, 255)]


def test_fax_pages() -> None:
    bits = Image.new("1", (96, 64), 1)
    bits.paste(0, (0, 0, 48, 32))
    for compression in ("group3", "group4", "tiff_ccitt"):
        image = made_safe(saved(bits, "TIFF", compression=compression))
        assert corners(image)[:2] == [(0, 0, 0), (255, 255, 255)]


def test_real_numbers_of_any_range_are_stretched() -> None:
    image = made_safe(saved(spread(quarters(), "F", 1000.0, -90_000.0), "TIFF"))
    dark, light = corners(image)[2], corners(image)[3]
    assert dark < (40, 40, 40)
    assert light > (200, 200, 200)


def test_nothing_but_black_in_16_bits_stays_black() -> None:
    assert made_safe(saved(Image.new("I;16", (8, 8)), "PNG")).getextrema() == ((0, 0),) * 3


def test_numbers_that_are_none_do_no_harm() -> None:
    rows = struct.pack("<64f", *([float("nan")] * 32 + [float("inf")] * 32))
    assert made_safe(saved(Image.frombytes("F", (8, 8), rows), "TIFF")).size == (8, 8)


@pytest.mark.parametrize("name", ["PNG", "WEBP", "TIFF", "AVIF", "HEIC"])
def test_transparency_is_white(name: str) -> None:
    image = quarters().convert("RGBA")
    # The colour under full transparency is not to be seen: it may be what somebody painted over.
    image.paste((0, 0, 0, 0), (48, 0, 96, 32))
    image.paste((0, 0, 0, 128), (0, 32, 48, 64))
    options = {"lossless": True} if name == "WEBP" else {"quality": 95} if name in ("AVIF", "HEIC") else {}
    red, clear, half, yellow = corners(made_safe(saved(image, name, **options)))
    assert near(red, RED)
    assert near(clear, (255, 255, 255), 8)
    assert near(half, (127, 127, 127), 8)
    assert near(yellow, YELLOW)


def test_transparency_of_palettes_and_single_colours_is_white() -> None:
    palette = quarters().quantize(4)
    clear = palette.getpixel((72, 16))
    for data in (saved(palette, "PNG", transparency=clear), saved(palette, "GIF", transparency=clear)):
        assert corners(made_safe(data))[1] == (255, 255, 255)
    keyed = saved(quarters(), "PNG", transparency=GREEN)
    assert corners(made_safe(keyed)) == [RED, (255, 255, 255), BLUE, YELLOW]
    grey_keyed = saved(Image.new("L", (8, 8), 7), "PNG", transparency=7)
    assert corners(made_safe(grey_keyed))[0] == (255, 255, 255)


def test_a_gif_frame_that_covers_a_part_of_its_screen() -> None:
    frame = saved(Image.new("P", (10, 10)), "GIF")
    larger = frame[:6] + struct.pack("<HH", 40, 20) + frame[10:]
    assert made_safe(larger).size == (40, 20)


@pytest.mark.parametrize("name", one_of_each())
def test_the_same_bytes_give_the_same_key(name: str) -> None:
    data = one_of_each()[name]
    first = read_pictures(data, LIMITS)
    assert first == read_pictures(data, LIMITS) == decode(data, sniff(data), LIMITS)
    assert len({picture.key for picture in first}) == len(first)


def test_a_safe_picture_made_safe_again_keeps_its_size() -> None:
    for data in one_of_each().values():
        (picture,) = decode(data, sniff(data), LIMITS)
        (again,) = decode(picture.data, sniff(picture.data), LIMITS)
        assert again == picture


def sixteen(image: Image.Image, factor: int) -> Image.Image:
    levels = image.convert("L").tobytes()
    return Image.frombytes("I;16", image.size, struct.pack(f"<{len(levels)}H", *(level * factor for level in levels)))


def spread(image: Image.Image, mode: str, factor: float, offset: float = 0.0) -> Image.Image:
    numbers: Image.Image = ImageMath.lambda_eval(
        lambda args: args["float"](args["image"]) * factor + offset, image=image.convert("L")
    )
    return numbers.convert(mode)


def png16(image: Image.Image) -> bytes:
    rows = b""
    for y in range(image.height):
        line = image.crop((0, y, image.width, y + 1)).tobytes()
        rows += b"\0" + b"".join(bytes((level, level)) for level in line)
    return png(image.width, image.height, 2, rows, depth=16)


def bmp_rle(image: Image.Image) -> bytes:
    palette = image.quantize(4)
    colours = palette.getpalette("BGRX")
    assert colours is not None
    table = bytes(colours)[: 4 * 256].ljust(4 * 256, b"\0")
    pixels = palette.tobytes()
    runs = b""
    for y in reversed(range(image.height)):
        line = pixels[y * image.width : (y + 1) * image.width]
        half = image.width // 2
        runs += bytes((half, line[0], image.width - half, line[half], 0, 0))
    runs += b"\0\1"
    info = struct.pack("<IiiHHIIiiII", 40, image.width, image.height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    start = 14 + len(info) + len(table)
    return struct.pack("<2sIHHI", b"BM", start + len(runs), 0, 0, start) + info + table + runs
