"""An export into a folder, or into one file. It has its name only when it is whole."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import ConfigurationError
from core.export.card import LINES, MANIFEST, beside
from core.export.export import Export, LineOut
from core.values import utc_now

# What a folder or file is called until it is whole.
PARTIAL = ".partial"
# By which our own unfinished folder is known.
_MARKER = ".glimt-export"


def write_folder(export: Export, out: Path, progress: Callable[[], None]) -> None:
    """Lines, pictures beside them, and the manifest at last. What an export that broke off has left is written anew.

    Raises:
        ConfigurationError: there is something at `out` already, or nothing can be written there.
        StoreError: the database or the blob store is away.
    """
    with _explained(out):
        partial = _begin_folder(out)
        for name, data in beside(export.options).items():
            _write(partial / name, [data])
        _write(partial / LINES, _with_pictures(export, partial, progress))
        manifest = json.dumps(export.manifest(utc_now()), ensure_ascii=False, indent=2)
        _write(partial / MANIFEST, [manifest.encode("utf-8", "replace"), b"\n"])
        (partial / _MARKER).unlink()
        partial.rename(out)


def write_file(pieces: Iterable[bytes], out: Path) -> None:
    """One file.

    Raises:
        ConfigurationError: there is something at `out` already, or nothing can be written there.
        StoreError: the database or the blob store is away.
    """
    with _explained(out):
        _require_free(out)
        partial = out.with_name(out.name + PARTIAL)
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        _write(partial, pieces)
        partial.rename(out)


def _with_pictures(export: Export, folder: Path, progress: Callable[[], None]) -> Iterator[bytes]:
    """The lines; pictures are written on the way."""
    for piece in export.pieces():
        if isinstance(piece, LineOut):
            yield piece.data
            progress()
        else:
            path = folder / piece.name
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _write(path, [piece.data])


def _begin_folder(out: Path) -> Path:
    _require_free(out)
    partial = out.with_name(out.name + PARTIAL)
    if partial.exists():
        if not (partial / _MARKER).is_file():
            raise ConfigurationError(f"{partial} is in the way, and no export of ours has left it. Move it elsewhere.")
        shutil.rmtree(partial)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial.mkdir(mode=0o700)
    (partial / _MARKER).touch(mode=0o600)
    return partial


def _require_free(out: Path) -> None:
    if os.path.lexists(out):
        raise ConfigurationError(f"{out} exists already. Choose another name; nothing is ever written over.")


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    """A new file that only we can read, on the disk when this returns."""
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _explained(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror or error}.") from error
