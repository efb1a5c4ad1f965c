"""An export as a stream: pictures and lines as they are read, and what it came to."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.export.chunks import Chunk, Reach, read_chunks
from core.export.exchange import Exchange, exchange_of
from core.export.lines import Lines
from core.export.options import ExportOptions
from core.export.redaction import Redactor
from core.export.taken import Taken, take
from core.media.blobs import BlobStore
from core.policy.effective import Manner
from core.policy.snapshot import EMPTY, Snapshot, snapshot_of
from core.settings import Settings
from core.store.database import Store
from core.store.models import Attachment
from core.store.review.export import Head, TurnRecord
from core.values import utc_now

FORMAT = "glimt-export-1"
# Names of pictures that could not be read; of more only their number is told.
MOST_MISSING = 1000


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file that belongs beside the lines."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class LineOut:
    """One line of JSON, with its line break."""

    data: bytes


Piece = PictureFile | LineOut


@dataclass(slots=True)
class Counts:
    """What came out so far."""

    conversations: int = 0
    lines: int = 0
    turns: int = 0
    pictures: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    missing: list[dict[str, str]] = field(default_factory=list)
    missing_pictures: int = 0
    # Turns whose corrections and judgements others are still to give by themselves.
    hidden: int = 0


class Export:
    """Reads and writes once. Nothing of it is held but the chunk that is being written.

    `still`: called before each chunk; raises where whoever asked may not go on. Pieces are made in the caller's thread.
    """

    def __init__(
        self,
        store: Store,
        blobs: BlobStore,
        settings: Settings,
        reach: Reach,
        options: ExportOptions,
        *,
        still: Callable[[], None] = lambda: None,
    ) -> None:
        self.options = options
        self.counts = Counts()
        self.begun_at = utc_now()
        self.redactor = Redactor(
            options.redact, regions=settings.redact_regions, names=(*settings.redact_names, *options.names)
        )
        self._store = store
        self._blobs = blobs
        self._reach = reach
        self._settings = settings
        self._policies: Snapshot = EMPTY
        self._still = still
        self._lines = Lines(options, self.redactor)
        self._known_workspaces: set[str] = set()

    def pieces(self) -> Iterator[Piece]:
        """Pictures, each before the line that names it, and lines.

        Raises:
            StoreError: the database or the blob store is away.
        """
        with self._store.read() as repositories:
            self._policies = snapshot_of(repositories.settings.newest())
        latest = ""
        for chunk in read_chunks(self._store, self._reach):
            self._still()
            self._know_people(chunk.head)
            exchanges: list[Exchange] = []
            for record in chunk.records:
                self._hide(record)
                files: list[PictureFile] = []
                asked = [self._take(attachment, files) for attachment in record.turn.attachments]
                own = [self._take(attachment, files) for attachment in record.turn.answer_pictures]
                yield from files
                exchanges.append(exchange_of(record, self.options, asked, own))
            yield from self._lines_of(chunk, exchanges)
            if chunk.head.conversation.id != latest:
                self.counts.conversations += 1
                latest = chunk.head.conversation.id

    def manifest(self, ended_at: datetime) -> dict[str, Any]:
        """What the export holds; written last, so that one that broke off has none."""
        counts = self.counts
        return {
            "format": FORMAT,
            "begun_at": self.begun_at.isoformat(),
            "ended_at": ended_at.isoformat(),
            "options": self.options.said(),
            "conversations": counts.conversations,
            "lines": counts.lines,
            "turns": counts.turns,
            "pictures": counts.pictures,
            "turns_left_out": dict(sorted(counts.left_out.items())),
            "turns_being_judged": counts.hidden,
            "missing_pictures": counts.missing_pictures,
            "missing": counts.missing,
            "redacted": dict(sorted((str(kind), count) for kind, count in self.redactor.counts.items())),
        }

    def summary(self) -> dict[str, Any]:
        """Numbers for the audit log."""
        counts = self.counts
        return {
            "conversations": counts.conversations,
            "lines": counts.lines,
            "turns": counts.turns,
            "pictures": counts.pictures,
            "missing_pictures": counts.missing_pictures,
        }

    def _lines_of(self, chunk: Chunk, exchanges: list[Exchange]) -> Iterator[Piece]:
        self.counts.left_out.update(exchange.left_out for exchange in exchanges if exchange.left_out)
        self.counts.turns += sum(not exchange.left_out for exchange in exchanges)
        for line in self._lines.of(chunk.head, chunk.part, self._manner(chunk.head), exchanges):
            self.counts.lines += 1
            # Text in SQL may hold what UTF-8 cannot.
            yield LineOut(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

    def _take(self, attachment: Attachment, files: list[PictureFile]) -> Taken:
        taken = take(attachment, self.options.pictures, self._blobs, lambda *file: files.append(PictureFile(*file)))
        self.counts.pictures += bool(taken.place)
        if taken.is_missing:
            self.counts.missing_pictures += 1
            if len(self.counts.missing) < MOST_MISSING:
                self.counts.missing.append({"turn": attachment.turn_id, "picture": attachment.id, "why": taken.why})
        return taken

    def _hide(self, record: TurnRecord) -> None:
        if self._reach.admin_id and record.remarks.is_hidden_from(self._reach.admin_id):
            record.remarks = record.remarks.seen_by(self._reach.admin_id)
            self.counts.hidden += 1

    def _manner(self, head: Head) -> Manner:
        place, persona = ("", "") if head.place is None else (head.place.external_id, head.place.persona)
        return self._policies.of(head.workspace.id, place).manner(persona, self._settings)

    def _know_people(self, head: Head) -> None:
        workspace_id = head.workspace.id
        if self.redactor.names and workspace_id not in self._known_workspaces:
            self._known_workspaces.add(workspace_id)
            with self._store.read() as repositories:
                self.redactor.know(repositories.people.names(workspace_id))
