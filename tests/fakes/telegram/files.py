"""A file that Telegram keeps, and how its download misbehaves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Download = Literal["whole", "slow", "truncated", "reset", "hang", "gone", "error", "wrong", "unavailable"]
CLOUD_LIMIT = 20 * 2**20
LINK_SECONDS = 3_600


@dataclass(eq=False)
class StoredFile:
    """`make` gives the bytes; `size` is what Telegram says that they are. `folder` and `name` make its file_path.

    `download`: whole; slow, in eight parts with `FakeTelegram.pause` seconds between them; truncated, half of the
    announced bytes; reset, a broken connection after half; hang, half and then silence; gone, 404 although getFile
    gave a path; error, 500; wrong, another file's bytes; unavailable, getFile itself refuses.
    """

    id: str
    unique_id: str
    folder: str
    name: str
    size: int
    make: Callable[[], bytes] = field(repr=False)
    media_type: str = "application/octet-stream"
    download: Download = "whole"
    _content: bytes | None = field(default=None, repr=False)
    expires: float = 0.0
    path: str = ""

    @property
    def content(self) -> bytes:
        """The bytes, made once."""
        if self._content is None:
            self._content = self.make()
        return self._content


def new_ids(number: int, kind: str, content_hash: str) -> tuple[str, str]:
    """A file_id, new each time, and the file_unique_id, the same for the same bytes."""
    unique = hashlib.sha256(f"{kind}{content_hash}".encode()).hexdigest()[:16]
    return f"{'AgACAgIAAx' if kind == 'photo' else 'BQACAgIAAx'}{number:08d}{unique}", f"AQAD{unique}"


def digest(content: bytes) -> str:
    """What tells files apart."""
    return hashlib.sha256(content).hexdigest()
