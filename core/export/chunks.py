"""Conversations in pieces that fit into memory, whatever is stored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from core.store.database import Store
from core.store.review.export import Head, Spot, TurnRecord
from core.store.review.filters import Wanted
from core.store.review.scope import ReadScope
from core.store.words import Sought
from core.values import AttachmentState

# Conversations and turns of one transaction.
HEADS = 100
TURNS = 500
# What one chunk may hold; a longer conversation is cut.
CHUNK_TURNS = 200
CHUNK_PICTURE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    """Turns of one conversation that follow each other; `part` counts from 1."""

    head: Head
    part: int
    records: list[TurnRecord] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reach:
    """Which conversations are read: those that somebody may read, and asks for.

    `admin_id`: what this admin is not to know before he has judged himself is left out; empty: nobody's reading.
    """

    scope: ReadScope
    wanted: Wanted
    sought: Sequence[Sought] = ()
    admin_id: str = ""


def read_chunks(
    store: Store, reach: Reach, *, heads: int = HEADS, turns: int = TURNS, longest: int = CHUNK_TURNS
) -> Iterator[Chunk]:
    """All conversations by their ids, each by the numbers of its turns. No transaction is open between two chunks.

    `heads` and `turns` are read in one transaction; a chunk has `longest` turns at most.

    What changes meanwhile is read as it is when its turn comes; what is new is read, too.

    Raises:
        StoreError: the database is away.
    """
    after: str | None = ""
    while after is not None:
        with store.read() as repositories:
            page = repositories.review(reach.scope).heads(reach.wanted, reach.sought, after=after, limit=heads)
        yield from _chunks_of(store, reach.scope, page.rows, turns, longest)
        after = page.next


def _chunks_of(store: Store, scope: ReadScope, heads: Sequence[Head], limit: int, longest: int) -> Iterator[Chunk]:
    by_id = {head.conversation.id: head for head in heads}
    open_chunk: Chunk | None = None
    spot: Spot | None = None
    while by_id:
        with store.read() as repositories:
            records = repositories.review(scope).turns_of(list(by_id), after=spot, limit=limit)
        for record in records:
            turn = record.turn
            if open_chunk is not None and open_chunk.head.conversation.id != turn.conversation_id:
                yield open_chunk
                open_chunk = None
            if open_chunk is not None and _is_full(open_chunk, record, longest):
                yield open_chunk
                open_chunk = replace(open_chunk, part=open_chunk.part + 1, records=[])
            open_chunk = open_chunk or Chunk(by_id[turn.conversation_id], 1)
            open_chunk.records.append(record)
            spot = (turn.conversation_id, turn.seq)
        if len(records) < limit:
            break
    if open_chunk is not None:
        yield open_chunk


def _is_full(chunk: Chunk, record: TurnRecord, longest: int) -> bool:
    if len(chunk.records) >= longest:
        return True
    together = sum(_picture_bytes(each) for each in (*chunk.records, record))
    return together > CHUNK_PICTURE_BYTES and bool(chunk.records)


def _picture_bytes(record: TurnRecord) -> int:
    files = (*record.turn.attachments, *record.turn.answer_pictures)
    return sum(attachment.byte_size for attachment in files if attachment.state == AttachmentState.STORED)
