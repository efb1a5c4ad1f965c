"""The end of gathering: references to files become pictures or reasons, and the turn becomes ready, in one transaction.

Files of a question that was handed over are fetched as well, so that the human who answers can see them.

An adapter commits references first (`InboundQuestion.pending`), acknowledges, and fetches afterwards. Whoever dies in
between has written nothing, so the files are fetched again from the same references.
"""

from collections.abc import Collection, Sequence
from enum import Enum, auto

from core.conversation.inbound import Named, Pending, Refused
from core.media.blobs import BlobStore
from core.store.database import Store
from core.values import AttachmentState, TurnState, utc_now

_TOO_MANY = (
    "This is more than the {most} pictures that are looked at with one question. Please ask about it separately."
)


class Gathered(Enum):
    """What became of the turn."""

    READY = auto()
    # A human answers, and sees the files now.
    SHOWN = auto()
    # More of it became known meanwhile: fetch that too; or more may still come.
    MORE = auto()
    # It was cancelled, or somebody else has gathered it.
    OVER = auto()


def finish_gathering(
    store: Store, blobs: BlobStore, turn_id: str, fetched: Collection[str], files: Sequence[Named | Refused], most: int
) -> Gathered:
    """Write what the turn's references turned out to be, in the order given, behind what it has already. Blocking.

    `fetched` are the ids of the pending attachments that `files` stand for. Pictures beyond `most` are refused by name.

    Raises:
        StoreError: nothing was written.
    """
    files = _at_most(files, most, most)
    for file in files:
        if isinstance(file, Named):
            blobs.put(file.picture.data)
    with store.write() as repositories:
        turn = repositories.turns.get(turn_id) if repositories.turns.hold_for_files(turn_id) else None
        if turn is None:
            return Gathered.OVER
        pending = {a.id for a in turn.attachments if a.state == AttachmentState.PENDING}
        if pending - set(fetched) or (turn.not_before is not None and turn.not_before > utc_now()):
            return Gathered.MORE
        # A question that was recalled has some that are not pending.
        kept = [a for a in turn.attachments if a.state != AttachmentState.PENDING]
        gathered = Gathered.READY if turn.state == TurnState.GATHERING else Gathered.SHOWN
        if gathered is Gathered.READY and not repositories.turns.make_ready(turn_id, utc_now()):
            return Gathered.OVER
        first = 1 + max((a.position for a in kept), default=-1)
        files = _at_most(files, most - sum(a.state == AttachmentState.STORED for a in kept), most)
        repositories.attachments.clear_pending(turn_id)
        repositories.attachments.add_stored(
            file.stored(turn_id, position) for position, file in enumerate(files, first) if isinstance(file, Named)
        )
        for position, file in enumerate(files, first):
            if isinstance(file, Refused):
                repositories.attachments.add(
                    turn_id,
                    position,
                    state=AttachmentState.REFUSED,
                    name=file.name,
                    error_code=file.code,
                    error_message=file.message,
                )
    return gathered


def add_references(store: Store, turn_id: str, references: Sequence[Pending], key: str) -> bool:
    """Further files of a question that takes some; those whose source's `key` is there already are passed over.

    False: nothing was added. Blocking.

    Raises:
        StoreError: nothing was written.
    """
    with store.write() as repositories:
        turn = repositories.turns.get(turn_id) if repositories.turns.hold_for_files(turn_id) else None
        if turn is None:
            return False
        known = [a.source.get(key) for a in turn.attachments]
        first = 1 + max((a.position for a in turn.attachments), default=-1)
        fresh = [reference for reference in references if reference.source.get(key) not in known]
        for position, reference in enumerate(fresh, start=first):
            repositories.attachments.add(
                turn_id,
                position,
                state=AttachmentState.PENDING,
                name=reference.name,
                source=dict(reference.source),
            )
    return bool(fresh)


def _at_most(files: Sequence[Named | Refused], room: int, most: int) -> list[Named | Refused]:
    kept: list[Named | Refused] = []
    pictures = 0
    for file in files:
        if isinstance(file, Named):
            pictures += 1
            if pictures > room:
                beyond = Refused(file.name, "too_many_pictures", _TOO_MANY.format(most=most))
                if beyond not in kept:
                    kept.append(beyond)
                continue
        kept.append(file)
    return kept
