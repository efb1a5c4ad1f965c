"""How we and a reader process speak: a length, a JSON object, then the bytes whose sizes the object lists."""

import json
import struct
from collections.abc import Sequence
from typing import IO, Any

_LENGTH = struct.Struct(">I")
# Bounds on what the other side may announce, so that a broken one cannot make us allocate.
_MAX_HEADER = 1024 * 1024
_MAX_BLOB = 256 * 1024 * 1024


def send(stream: IO[bytes], header: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
    """Write one message. Raises OSError when nobody reads."""
    body = json.dumps({**header, "sizes": [len(blob) for blob in blobs]}).encode()
    stream.write(_LENGTH.pack(len(body)) + body)
    for blob in blobs:
        stream.write(blob)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Read one message. Raises EOFError when the other side has gone, ValueError when it does not speak like this."""
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > _MAX_HEADER:
        raise ValueError(f"a header of {length} bytes")
    header = json.loads(_exactly(stream, length))
    if not isinstance(header, dict) or not isinstance(sizes := header.pop("sizes", None), list):
        raise ValueError("no message")
    if not all(isinstance(size, int) and size >= 0 for size in sizes) or sum(sizes) > _MAX_BLOB:
        raise ValueError("impossible sizes")
    return header, [_exactly(stream, size) for size in sizes]


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise EOFError
    return data
