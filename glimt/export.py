"""What `glimt export` does: an export into a folder, a file or a pipe, with what was exported in the audit log."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qsl, urlsplit

from admin.filters import Filters, require_known
from admin.manage import COMMAND_LINE
from core.admins import Action
from core.errors import ConfigurationError, NotFound, WrongParameter
from core.export.chunks import Reach
from core.export.export import Export
from core.export.folder import write_file, write_folder
from core.export.options import Container, ExportOptions, Given, Pictures, export_options
from core.export.person import PersonExport
from core.export.sent import as_bytes
from core.media.blobs import BlobStore
from core.settings import Settings
from core.store.database import Store
from core.store.migrate import require_current
from core.store.review.names import shown_name
from core.store.review.scope import EVERYTHING
from core.store.words import sought_words

PIPE = "-"
# Lines after which it is told how far it is.
TOLD_EVERY = 1000
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted: filters by the names that the console's address has, words of the options, further names."""

    filters: Mapping[str, str]
    options: Mapping[str, str]
    redact: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def export_conversations(settings: Settings, out: str, asked: Asked, say: Say, stdout: BinaryIO | None = None) -> bool:
    """Write to the folder `out`, to a file if it ends in .zip or .jsonl, to stdout if it is `-`. Whether all pictures
    were there.

    Raises:
        ConfigurationError: there is something at `out` already, or nothing can be written there.
        WrongParameter: a filter or an option says what it cannot say.
        StoreError: the database or the blob store is away.
    """
    options = _options(asked, out)
    require_current(settings.sql_url)
    with _opened(settings) as (store, blobs):
        require_known(asked.filters)
        filters = Filters.of(_by_id(store, asked.filters), settings.zone)
        sought = sought_words(filters.q)
        if filters.q and not sought:
            raise WrongParameter("q", "There is nothing to search for in q.")
        export = Export(store, blobs, settings, Reach(EVERYTHING, filters.wanted, sought), options)
        _note(store, Action.EXPORTED, filters=filters.said(), **options.said())
        how = "it broke off"
        try:
            _write(export, out, say, stdout or sys.stdout.buffer)
            how = "whole"
        finally:
            _note(store, Action.EXPORT_ENDED, how=how, **export.summary())
    return _told(export, say)


def export_person(settings: Settings, who: str, out: str, say: Say) -> None:
    """Write all that is stored about one person into the zip `out`; `who` is our id, or the platform's id or name.

    Raises:
        NotFound: nobody is called that.
        ConfigurationError: more than one is, or nothing can be written to `out`.
        StoreError: the database or the blob store is away.
    """
    require_current(settings.sql_url)
    with _opened(settings) as (store, blobs):
        person_id = _person(store, who)
        export = PersonExport(store, blobs, person_id)
        _note(store, Action.PERSON_EXPORTED, person_id=person_id)
        how = "it broke off"
        try:
            write_file(export.pieces(), Path(out or f"{person_id}.zip"))
            how = "whole"
        finally:
            _note(store, Action.EXPORT_ENDED, how=how, person_id=person_id, **export.counts)
    counts = ", ".join(f"{count} {name}" for name, count in export.counts.items())
    say(f"{out or person_id + '.zip'}: {counts}")


def filters_of_address(address: str) -> dict[str, str]:
    """The filters in an address of the console, or in what stands behind its question mark."""
    query = urlsplit(address).query or address.partition("?")[2] or address
    return dict(parse_qsl(query.lstrip("?")))


def _options(asked: Asked, out: str) -> ExportOptions:
    words = dict(asked.options)
    if out == PIPE or out.endswith(".jsonl"):
        words["format"] = Container.JSONL
    return export_options(Given(words, asked.redact, asked.names))


def _write(export: Export, out: str, say: Say, stdout: BinaryIO) -> None:
    if out == PIPE:
        for piece in as_bytes(export):
            stdout.write(piece)
        stdout.flush()
    elif out.endswith((".zip", ".jsonl")):
        write_file(as_bytes(export), Path(out))
    else:
        write_folder(export, Path(out), lambda: _progress(export, say))


def _progress(export: Export, say: Say) -> None:
    if export.counts.lines % TOLD_EVERY == 0:
        say(f"{export.counts.lines} lines, {export.counts.pictures} pictures …")


def _told(export: Export, say: Say) -> bool:
    counts = export.counts
    say(f"{counts.lines} lines of {counts.conversations} conversations, {counts.pictures} pictures")
    for why, count in sorted(counts.left_out.items()):
        say(f"left out: {count} turns ({why})")
    if export.options.redact and export.options.pictures is not Pictures.NONE:
        say("Nothing was taken out of the pictures.")
    if counts.missing_pictures:
        say(f"{counts.missing_pictures} pictures are gone or damaged; the manifest names them.")
    return not counts.missing_pictures


def _by_id(store: Store, filters: Mapping[str, str]) -> dict[str, str]:
    """The same filters; a workspace, a place or a label may be called by its name instead of its id."""
    named = dict(filters)
    with store.read() as repositories:
        review = repositories.review(EVERYTHING)
        choices = review.choices()
        labels = review.review_choices().labels
    names: dict[str, dict[str, str]] = {
        "workspace": {word: w.id for w in choices.workspaces for word in (w.name, w.external_id) if word},
        "place": {place.external_id: place.id for place in choices.places},
        "label": {label.name: label.id for label in labels},
    }
    return {name: names.get(name, {}).get(value, value) for name, value in named.items()}


def _person(store: Store, who: str) -> str:
    with store.read() as repositories:
        found = repositories.personal.find(who)
    exact = [(person, w) for person, w in found if who in (person.id, person.external_id, person.display_name)]
    found = exact or found
    if not found:
        raise NotFound(f"Nobody is called {who!r}.")
    if len(found) > 1:
        listed = "\n".join(f"  {p.id}  {w.platform} {w.name or w.external_id}  {shown_name(p)}" for p, w in found)
        raise ConfigurationError(f"Several people are called {who!r}. Give the id of one of them:\n{listed}")
    return found[0][0].id


def _note(store: Store, action: Action, **detail: object) -> None:
    with store.write() as repositories:
        about = str(detail.pop("person_id", ""))
        repositories.audit.add(action, admin_name=COMMAND_LINE, person_id=about, detail=detail)


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Store, BlobStore]]:
    store = Store(settings.sql_url, pool_size=1)
    try:
        yield store, BlobStore(settings.blob_store_url)
    finally:
        store.close()
