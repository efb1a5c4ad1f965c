"""Files of every format, built afresh: nothing binary lies in the repository."""

import struct
import zlib
from functools import cache
from io import BytesIO
from typing import Any

import pillow_heif
from PIL import Image, ImageCms, ImageDraw

from core.media.limits import PictureLimits

LIMITS = PictureLimits(max_bytes=10 * 1024 * 1024, max_pixels=25_000_000, max_pages=10)
RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 180, 60), (40, 60, 210), (235, 215, 40)


def quarters(width: int = 96, height: int = 64) -> Image.Image:
    """Red, green over blue, yellow: every turn and flip of it looks different."""
    image = Image.new("RGB", (width, height), RED)
    draw = ImageDraw.Draw(image)
    draw.rectangle((width // 2, 0, width, height // 2 - 1), GREEN)
    draw.rectangle((0, height // 2, width // 2 - 1, height), BLUE)
    draw.rectangle((width // 2, height // 2, width, height), YELLOW)
    return image


def corners(image: Image.Image) -> list[tuple[int, int, int]]:
    """The colours in the middle of the four quarters: top left, top right, bottom left, bottom right."""
    width, height = image.size
    rgb = image.convert("RGB")
    found = []
    for y in (height // 4, height * 3 // 4):
        for x in (width // 4, width * 3 // 4):
            pixel = rgb.getpixel((x, y))
            assert isinstance(pixel, tuple)
            found.append((int(pixel[0]), int(pixel[1]), int(pixel[2])))
    return found


def near(left: tuple[int, ...], right: tuple[int, ...], tolerance: int = 24) -> bool:
    """Whether two colours are the same but for lossy coding."""
    return all(abs(a - b) <= tolerance for a, b in zip(left, right, strict=True))


def saved(image: Image.Image, name: str, **options: Any) -> bytes:
    """`image` in one of Pillow's formats, or HEIC."""
    out = BytesIO()
    if name == "HEIC":
        pillow_heif.from_pillow(image).save(out, format="HEIF", **options)
    else:
        image.save(out, name, **options)
    return out.getvalue()


def srgb() -> bytes:
    """The plain colour profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped() -> bytes:
    """A profile in which red means blue and the other way round: that it was applied cannot be overlooked."""
    return srgb().replace(b"rXYZ", b"tmpX", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"tmpX", b"bXYZ", 1)


def png(width: int, height: int, colour_type: int, rows: bytes, depth: int = 8) -> bytes:
    """A PNG with any header over any (raw, filtered) rows."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def pdf(*objects: bytes, extra_trailer: bytes = b"") -> bytes:
    """A PDF of numbered objects; the first is the catalogue."""
    out = b"%PDF-1.7\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"<</Size %d/Root 1 0 R%s>>" % (len(objects) + 1, extra_trailer)
    return out + b"trailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (trailer, start)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """The body of a stream object."""
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), entries, content)


def pages(*boxes: tuple[float, float], content: bytes = b"1 0 0 rg 0 0 50 50 re f", catalogue: bytes = b"") -> bytes:
    """A PDF with a page for each box, in points; a red square in the bottom left of each."""
    kids = b" ".join(b"%d 0 R" % (4 + i) for i in range(len(boxes)))
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalogue,
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(boxes)),
        stream(content),
        *(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %s %s]/Contents 3 0 R>>" % (str(w).encode(), str(h).encode())
            for w, h in boxes
        ),
    )


def tiff(entries: dict[int, tuple[int, int]], data: bytes = b"") -> bytes:
    """A little-endian TIFF whose one directory has LONG values: {tag: (count, value or offset)}; `data` at offset 8."""
    table = b"".join(struct.pack("<HHII", tag, 4, count, value) for tag, (count, value) in sorted(entries.items()))
    directory = struct.pack("<H", len(entries)) + table + b"\0\0\0\0"
    padded = data + b"\0" * (len(data) % 2)
    return struct.pack("<2sHI", b"II", 42, 8 + len(padded)) + padded + directory


@cache
def one_of_each() -> dict[str, bytes]:
    """A small valid file of every format on the allow-list, some in more than one way."""
    image, grey = quarters(), quarters().convert("L")
    frames = [quarters().rotate(angle) for angle in (90, 180)]
    return {
        "jpeg": saved(image, "JPEG", quality=90),
        "jpeg-progressive": saved(image, "JPEG", quality=90, progressive=True),
        "png": saved(image, "PNG"),
        "png-palette": saved(image.quantize(16), "PNG"),
        "webp": saved(image, "WEBP", quality=90),
        "webp-lossless": saved(image, "WEBP", lossless=True),
        "webp-animated": saved(image, "WEBP", save_all=True, append_images=frames, quality=90),
        "gif": saved(image, "GIF"),
        "gif-animated": saved(image, "GIF", save_all=True, append_images=frames, loop=0),
        "bmp": saved(image, "BMP"),
        "tiff": saved(image, "TIFF"),
        "tiff-lzw": saved(image, "TIFF", compression="tiff_lzw"),
        "tiff-g4": saved(grey.convert("1"), "TIFF", compression="group4"),
        "heic": saved(image, "HEIC", quality=90),
        "avif": saved(image, "AVIF", quality=90, max_threads=1),
        "pdf": pages((200, 100)),
    }
