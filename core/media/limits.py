"""What a picture may cost, and how those limits are told to people."""

from dataclasses import dataclass
from typing import Self

from core.errors import PictureTooLarge
from core.settings import MIB, Settings

_KIB = 1024
_KEEP_PIXELS = 2048 * 2048


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """`max_bytes` of the file, `max_pixels` of its header, `max_pages` of a PDF or TIFF; `keep_pixels` is the area to
    which larger pictures and PDF pages are scaled down."""

    max_bytes: int
    max_pixels: int
    max_pages: int
    keep_pixels: int = _KEEP_PIXELS

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that the operator set."""
        return cls(
            max_bytes=settings.picture_max_bytes,
            max_pixels=settings.picture_max_pixels,
            max_pages=settings.pdf_max_pages,
            keep_pixels=settings.picture_keep_pixels,
        )


def too_large(max_bytes: int, detail: str = "") -> PictureTooLarge:
    """The error for a file of more than `max_bytes`, which it names."""
    return PictureTooLarge(
        detail, user_message=f"This file is larger than {spoken_bytes(max_bytes)}. Please send a smaller version."
    )


def spoken_bytes(count: int) -> str:
    """`10 MB`, `1.5 MB`, `64 KB`, `300 bytes`: rounded down, so that a file of the size that is named does fit."""
    if count >= MIB:
        return f"{int(count / MIB * 10) / 10:g} MB"
    if count >= _KIB:
        return f"{count // _KIB} KB"
    return f"{count} bytes"


def spoken_pixels(count: int) -> str:
    """`25 megapixels`, `12,000 pixels`."""
    if count >= 1_000_000:
        return f"{int(count / 100_000) / 10:g} megapixels"
    return f"{count:,} pixels"
