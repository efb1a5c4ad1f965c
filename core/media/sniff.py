"""Which format bytes are of, by their first bytes alone. Names and declared types are a stranger's claim."""

from enum import StrEnum

from core.errors import PictureFormatNotAllowed


class Format(StrEnum):
    """The allow-list. For all but HEIC and PDF the value is Pillow's name of the format."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    HEIC = "HEIC"
    AVIF = "AVIF"
    PDF = "PDF"


_MAGIC = (
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
    (b"BM", Format.BMP),
    (b"II*\0", Format.TIFF),
    (b"MM\0*", Format.TIFF),
    (b"II+\0\x08\0\0\0", Format.TIFF),  # BigTIFF
    (b"MM\0+\0\x08\0\0", Format.TIFF),
    (b"%PDF-", Format.PDF),
)
# Brands of ISO/IEC 23008-12 (HEIF) and of the AVIF specification. `mif1` and `msf1` name the container only.
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_CONTAINER_BRANDS = {b"mif1", b"msf1"}
_BRANDS_READ = 32
# The sizes of header that Windows and OS/2 ever wrote: "BM" alone begins too many texts.
_BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}


def sniff(data: bytes) -> Format:
    """The format that `data` begin like. That they really are of it, only decoding shows.

    Leading junk is not skipped: a file that begins as something else is something else.

    Raises:
        PictureFormatNotAllowed: everything that is not on the allow-list: HTML, SVG, ZIP, video …
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Format.WEBP
    if data[4:8] == b"ftyp":
        return _container(data)
    for magic, name in _MAGIC:
        if data.startswith(magic):
            if name is Format.BMP and int.from_bytes(data[14:18], "little") not in _BMP_HEADERS:
                break
            return name
    raise PictureFormatNotAllowed(f"bytes begin with {data[:8].hex()}")


def _container(data: bytes) -> Format:
    """The format inside an ISO base media file: its major brand decides, else the compatible ones."""
    end = min(int.from_bytes(data[:4], "big"), 16 + 4 * _BRANDS_READ, len(data))
    major, compatible = data[8:12], [data[i : i + 4] for i in range(16, end - 3, 4)]
    for brand in (major, *(compatible if major in _CONTAINER_BRANDS else ())):
        if brand in _AVIF_BRANDS:
            return Format.AVIF
        if brand in _HEIC_BRANDS:
            return Format.HEIC
    raise PictureFormatNotAllowed(f"ISO media file of brand {major.hex()}")
