"""The blob store: bytes by the SHA-256 of their content, in a folder of any file system that fsspec knows."""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from core.errors import BlobDamaged, ConfigurationError, GlimtError, NotFound, StoreError

_KEY = re.compile(r"[0-9a-f]{64}")
_SHARD = re.compile(r"[0-9a-f]{2}")
# Which extra brings the package that a protocol needs.
_EXTRAS = {"s3": "glimt[s3]", "s3a": "glimt[s3]"}


class BlobStore:
    """Keeps immutable bytes. A blob is whole or absent, and equal bytes are kept once. Thread-safe, synchronous.

    `url` names a folder: `file:///var/lib/glimt/blobs`, `s3://bucket/prefix`, `memory://blobs`. `options` go to
    fsspec's file system; without any, credentials and endpoints follow its own conventions (AWS_…).

    Raises ConfigurationError where `url` cannot be used at all. Every method raises StoreError (retryable) where the
    storage cannot be reached or refuses, and NotFound for a key that no blob can have.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        protocol = fsspec.utils.get_protocol(url)
        # Other processes write to the same folder, so a remembered listing would be a wrong one.
        settled = {"use_listings_cache": False} if protocol in _EXTRAS else {}
        try:
            self._fs, root = fsspec.url_to_fs(url, **settled, **(options or {}))
        except ImportError as error:
            package = _EXTRAS.get(protocol)
            remedy = f"Install it: pip install '{package}'" if package else str(error)
            raise ConfigurationError(
                f"GLIMT_BLOBS_URL: {protocol}:// needs a package that is missing. {remedy}"
            ) from None
        except ValueError:
            raise ConfigurationError(f"GLIMT_BLOBS_URL: nothing is known of {protocol}:// addresses.") from None
        self._root = root.rstrip("/")
        self._local = isinstance(self._fs, LocalFileSystem)
        if not self._local and not self._root.strip("/"):
            raise ConfigurationError(f"GLIMT_BLOBS_URL: name a folder or bucket after {protocol}://")

    def put(self, data: bytes) -> str:
        """Keep `data`; returns its key. Equal bytes that are there already count as put just now."""
        key = sha256(data).hexdigest()
        path = self._path(key)
        with _store_errors():
            if not self._local:
                # Object stores show an object only when all of it has arrived, and asking first costs two requests.
                self._fs.pipe_file(path, data)
            elif not _renewed(Path(path)):
                _write_whole(Path(self._root), Path(path), data)
        return key

    def get(self, key: str) -> bytes:
        """The bytes of `key`, checked against it.

        Raises:
            NotFound: there is no such blob.
            StoreError: unreachable, or what is stored is no longer what was put.
        """
        path = self._path(key)
        with _store_errors():
            try:
                data: bytes = self._fs.cat_file(path)
            except FileNotFoundError as error:
                raise NotFound(f"no such blob: {key}") from error
        if sha256(data).hexdigest() != key:
            raise BlobDamaged(f"blob {key} is damaged")
        return data

    def exists(self, key: str) -> bool:
        """Whether there is a blob of that key."""
        path = self._path(key)
        with _store_errors():
            return bool(self._fs.exists(path))

    def keys(self) -> Iterator[str]:
        """The keys of all blobs, in any order; of those that come or go meanwhile it may miss some."""
        with _store_errors():
            try:
                folders = self._fs.ls(self._root, detail=False)
            except FileNotFoundError:
                return
        # One shard after the other, so that no listing has to hold them all.
        for folder in folders:
            if _SHARD.fullmatch(_name(folder)):
                with _store_errors():
                    names = [_name(path) for path in self._fs.find(folder)]
                yield from (name for name in names if _KEY.fullmatch(name))

    def put_at(self, key: str) -> datetime:
        """When the blob was last put, aware UTC.

        Raises:
            NotFound: there is no such blob.
        """
        path = self._path(key)
        with _store_errors():
            try:
                at: datetime = self._fs.modified(path)
            except FileNotFoundError as error:
                raise NotFound(f"no such blob: {key}") from error
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)

    def delete(self, key: str) -> None:
        """Remove the blob; harmless where there is none."""
        path = self._path(key)
        with _store_errors(), suppress(FileNotFoundError):
            self._fs.rm_file(path)

    def _path(self, key: str) -> str:
        # Digits and letters only, so that no key leads out of the folder.
        if not _KEY.fullmatch(key):
            raise NotFound(f"not a blob key: {key[:80]!r}")
        return f"{self._root}/{key[:2]}/{key[2:4]}/{key}"


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


@contextmanager
def _store_errors() -> Iterator[None]:
    """Whatever a file system raises (OSError, botocore's own …), as one of ours."""
    try:
        yield
    except GlimtError:
        raise
    except Exception as error:
        raise StoreError(f"the blob store failed: {type(error).__name__}: {error}") from error


def _renewed(path: Path) -> bool:
    """Whether the file is there; from now on it is a new one (see `core.media.orphans`)."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _write_whole(root: Path, path: Path, data: bytes) -> None:
    """`path` comes into being with all of `data` in it, readable by us only, and survives a power cut."""
    made = _make_folders(root, path.parent)
    # Files made by mkstemp have mode 0600.
    handle, temporary = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    for folder in (path.parent, *made):
        _sync_folder(folder)


def _make_folders(root: Path, folder: Path) -> list[Path]:
    """Make `folder` with mode 0700 for it and its parents as far as they are ours; returns the parents of new ones."""
    root.parent.mkdir(parents=True, exist_ok=True)
    parents = []
    for part in (root, folder.parent, folder):
        with suppress(FileExistsError):
            part.mkdir(mode=0o700)
            parents.append(part.parent)
    return parents


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
