"""Questions that come in several messages: an album, a picture and then its words, words and then their pictures.

The first message becomes the turn; what belongs to it joins that turn, also while it is being answered: the question is
then recalled, and answered as a whole. Only what comes after the answer is a question of its own. Synchronous: adapters
call it through a thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from core.conversation.inbound import Pending
from core.store.database import Repositories, Store
from core.store.models import Turn
from core.store.places import conversation_name
from core.values import ACTIVE_STATES, AttachmentState, Platform, TurnState, utc_now

# However fast one picture follows another, nobody waits longer than this for the first of them to be looked at.
GATHER_MOST = timedelta(seconds=10)


class Joined(Enum):
    """What became of a message that belongs to a turn."""

    ADDED = auto()
    # It was taken in before.
    KNOWN = auto()
    # The turn has ended, so that the message is for itself.
    OVER = auto()


@dataclass(frozen=True, slots=True)
class Addition:
    """More of a question. `event_keys` are the message's; `wait` is how long still more is waited for."""

    event_keys: tuple[str, ...]
    question: str = ""
    pending: tuple[Pending, ...] = ()
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Joining:
    """`interrupted` is the attempt that was answering what is now only a part of the question; 0: none was."""

    joined: Joined
    turn_id: str = ""
    interrupted: int = 0


class _Doubled(Exception):
    """The same message was taken in at the same moment (possible on PostgreSQL, where writers run in parallel)."""


def join(store: Store, platform: Platform, turn_id: str, addition: Addition) -> Joining:
    """Add to the question of a turn, which is gathering afterwards.

    Raises:
        StoreError: nothing was written.
    """
    try:
        return _join(store, platform, turn_id, addition)
    except _Doubled:
        # Another process took the same message in between our look and our insert.
        return _join(store, platform, turn_id, addition)


def _join(store: Store, platform: Platform, turn_id: str, addition: Addition) -> Joining:
    with store.write(urgent=True) as repositories:
        if any(repositories.inbound.find(platform, key) is not None for key in addition.event_keys):
            return Joining(Joined.KNOWN, turn_id)
        turn = repositories.turns.hold_open(turn_id)
        if turn is None:
            return Joining(Joined.OVER, turn_id)
        running, attempt = turn.state == TurnState.RUNNING, turn.attempt
        question = "\n".join(words for words in (turn.question, addition.question) if words.strip())
        if not repositories.turns.recall(turn_id, question, _until(turn, addition.wait)):
            return Joining(Joined.OVER, turn_id)
        for key in addition.event_keys:
            if not repositories.inbound.first(platform, key, turn_id):
                raise _Doubled
        _add_files(repositories, turn_id, addition.pending)
    return Joining(Joined.ADDED, turn_id, attempt if running else 0)


def turn_of_key(store: Store, platform: Platform, key: str) -> str | None:
    """The id of the turn that an event became; None: no such event, or it became none.

    Raises:
        StoreError: the database is gone.
    """
    with store.read() as repositories:
        event = repositories.inbound.find(platform, key)
        return event.turn_id if event is not None else None


@dataclass(frozen=True, slots=True)
class Latest:
    """The last turn of a conversation: whether it can be joined, and what it lacks."""

    turn_id: str
    state: TurnState
    by_same_person: bool
    asks: bool
    files: int
    age: timedelta

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in ACTIVE_STATES

    @property
    def is_gathering(self) -> bool:
        """Whether it waits for more."""
        return self.state is TurnState.GATHERING


def latest(store: Store, platform: Platform, workspace: str, place: str, person: str) -> Latest | None:
    """The last turn of the conversation that goes on at a place; None: nothing was asked in it yet.

    All names are the platform's own.

    Raises:
        StoreError: the database is gone.
    """
    with store.read() as repositories:
        somebody = repositories.people.known(platform, workspace, person)
        known = repositories.people.known_workspace(platform, workspace)
        found = repositories.places.known(known.id, place) if known is not None else None
        if known is None or found is None:
            return None
        conversation = repositories.conversations.by_name(known.id, conversation_name(found))
        if conversation is None:
            return None
        turn = next(iter(repositories.turns.of_conversation(conversation.id, limit=1)), None)
    if turn is None:
        return None
    return Latest(
        turn_id=turn.id,
        state=TurnState(turn.state),
        by_same_person=somebody is not None and somebody.id == turn.person_id,
        asks=bool(turn.question.strip()),
        files=len(turn.attachments),
        age=utc_now() - turn.created_at,
    )


def _until(turn: Turn, wait: timedelta) -> datetime:
    """Until when it waits now. Counted from the arrival of its last message, but never more than so long in all."""
    now = utc_now()
    return min(now + wait, max(now, turn.created_at + GATHER_MOST))


def _add_files(repositories: Repositories, turn_id: str, pending: Sequence[Pending]) -> None:
    if not pending:
        return
    turn = repositories.turns.get(turn_id)
    first = 1 + max((a.position for a in turn.attachments), default=-1) if turn is not None else 0
    for position, reference in enumerate(pending, first):
        repositories.attachments.add(
            turn_id,
            position,
            state=AttachmentState.PENDING,
            name=reference.name,
            source=dict(reference.source),
        )
