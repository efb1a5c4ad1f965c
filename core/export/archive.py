"""A zip archive that is sent while it is made: zipfile writes to what cannot seek, too.

https://docs.python.org/3/library/zipfile.html
"""

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any, cast

# Sent at once, so that small files do not become small packets.
SENT_BYTES = 64 * 1024
# Lines wait for the pictures, which go first: up to here in memory, then in a file that has no name.
SPOOLED_BYTES = 8 * 1024 * 1024
_MODE = 0o600 << 16


class _Outbox(io.RawIOBase):
    """What was written and not sent yet."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._buffer += data
        return len(data)

    def take(self, at_least: int) -> bytes:
        """All there is, if it is that much."""
        if len(self._buffer) < at_least:
            return b""
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken


class Archive:
    """Add files, and send what `take` gives; `finish` writes the directory, without which no tool opens the archive.

    A context manager: what is left of an archive that broke off goes nowhere.
    """

    def __init__(self, at: datetime) -> None:
        self._outbox = _Outbox()
        self._zip = zipfile.ZipFile(cast(IO[bytes], self._outbox), "w", allowZip64=True)
        self._at = (max(at.year, 1980), at.month, at.day, at.hour, at.minute, at.second)

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, name: str, data: bytes, *, compress: bool = True) -> Iterator[bytes]:
        """A whole file."""
        self._zip.writestr(self._info(name, compress), data)
        yield from self.take()

    def add_json(self, name: str, value: object) -> Iterator[bytes]:
        """A whole file of JSON that people can read."""
        text = json.dumps(value, ensure_ascii=False, indent=2)
        yield from self.add(name, text.encode("utf-8", "replace") + b"\n")

    def add_spool(self, name: str, spool: IO[bytes]) -> Iterator[bytes]:
        """A file of any size, from its beginning."""
        spool.seek(0)
        with self._zip.open(self._info(name, True), "w", force_zip64=True) as entry:
            while piece := spool.read(SENT_BYTES):
                entry.write(piece)
                yield from self.take()

    def finish(self) -> Iterator[bytes]:
        """The end of the archive."""
        self._zip.close()
        yield from self.take(1)

    def take(self, at_least: int = SENT_BYTES) -> Iterator[bytes]:
        """What is to be sent now, if anything."""
        if taken := self._outbox.take(at_least):
            yield taken

    def _info(self, name: str, compress: bool) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._at)
        info.external_attr = _MODE
        info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        return info


def spool() -> IO[bytes]:
    """Where lines wait. Nobody else can open it, and it goes when it is closed."""
    return cast(IO[bytes], tempfile.SpooledTemporaryFile(SPOOLED_BYTES))
