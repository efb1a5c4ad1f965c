"""An export as bytes: a zip archive, or lines alone."""

from collections.abc import Iterator
from contextlib import closing

from core.export.archive import Archive, spool
from core.export.card import LINES, MANIFEST, beside
from core.export.export import Export, LineOut
from core.export.options import Container
from core.values import utc_now


def as_bytes(export: Export) -> Iterator[bytes]:
    """What is sent, piece by piece. Whoever stops before the end has a broken archive, or a broken transfer.

    Raises:
        StoreError: the database or the blob store is away.
    """
    return _archive(export) if export.options.container is Container.ZIP else _lines(export)


def _lines(export: Export) -> Iterator[bytes]:
    for piece in export.pieces():
        if isinstance(piece, LineOut):
            yield piece.data


def _archive(export: Export) -> Iterator[bytes]:
    # An archive is written one file after the other, so the lines wait until all pictures are through.
    with Archive(export.begun_at) as archive, closing(spool()) as lines:
        for name, data in beside(export.options).items():
            yield from archive.add(name, data)
        # Something at once: whoever waits is to see that it has begun.
        yield from archive.take(1)
        for piece in export.pieces():
            if isinstance(piece, LineOut):
                lines.write(piece.data)
            else:
                yield from archive.add(piece.name, piece.data, compress=False)
        yield from archive.add_spool(LINES, lines)
        yield from archive.add_json(MANIFEST, export.manifest(utc_now()))
        yield from archive.finish()
