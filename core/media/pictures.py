"""The door for strangers' bytes: `read_pictures`."""

from core.errors import PictureBroken
from core.media.limits import PictureLimits, too_large
from core.media.reader import READER, Reader
from core.media.safe_picture import SafePicture
from core.media.sniff import sniff

__all__ = ["SafePicture", "read_pictures"]


def read_pictures(data: bytes, limits: PictureLimits, reader: Reader = READER) -> list[SafePicture]:
    """Make a stranger's file safe: one picture, the first frame of an animation, or each page of a PDF or TIFF.

    The format is what the bytes say, whatever the file is called. Size is checked before anything is decoded; decoding
    happens in a process of its own (`core.media.reader`), so that no file can harm this one. Blocking, for up to some
    seconds; thread-safe.

    Raises:
        PictureError: its `user_message` says what is wrong and which limit was met.
        PictureReaderUnavailable: nothing is wrong with the file.
    """
    if not data:
        raise PictureBroken("no bytes", user_message="This file is empty. Please send it again.")
    if len(data) > limits.max_bytes:
        raise too_large(limits.max_bytes, f"{len(data)} bytes")
    return reader.read(data, sniff(data), limits)
