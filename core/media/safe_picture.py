"""What a stranger's file becomes."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Self


@dataclass(frozen=True, slots=True)
class SafePicture:
    """A picture that we encoded ourselves: 8-bit RGB, upright, no transparency and no metadata of any kind.

    `media_type` is image/png or image/jpeg; `width` and `height` are pixels; `key` is the SHA-256 of `data` in
    hexadecimal, under which the blob store keeps it.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    key: str

    @classmethod
    def of(cls, data: bytes, media_type: str, width: int, height: int) -> Self:
        """A picture with the key that its bytes have."""
        return cls(data, media_type, width, height, sha256(data).hexdigest())
