"""What the review console reads. Everything goes through `ReviewRepository`, which cannot be made without a scope."""

from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from core.store.models import Attachment, Conversation, ConversationHold, Place, Turn, Workspace
from core.store.review.export import Heads, Spot, TurnRecord, read_heads, read_records
from core.store.review.filters import Wanted
from core.store.review.handovers import Handover, Waiting, count_waiting, list_waiting, read_handover
from core.store.review.inbox import Inbox, list_inbox
from core.store.review.kept import ConversationKept, PersonKept, list_held, read_conversation, read_person
from core.store.review.marks import Marks, ReviewChoices, read_marks, read_review_choices
from core.store.review.places import Choices, find_place, find_workspace, list_choices
from core.store.review.queues import AtWork, QueueRow, QueueView, at_work, is_seen, list_queues, view_queue
from core.store.review.remarks import Remarks, read_remarks
from core.store.review.scope import ReadScope
from core.store.review.search import Hits, search_turns
from core.store.review.sources import Cursor
from core.store.review.transcript import (
    Transcript,
    TurnPage,
    find_attachment,
    latest_pictures,
    read_later,
    read_transcript,
    read_turn,
    read_turns,
)
from core.store.words import Sought

PAGE = 50
TURNS = 100


class ReviewRepository:
    """Reads only, and only what `scope` allows: whatever else there is looks as if it did not exist."""

    def __init__(self, session: Session, scope: ReadScope) -> None:
        self._session = session
        self._scope = scope

    def inbox(self, wanted: Wanted, *, before: Cursor | None = None, limit: int = PAGE) -> Inbox:
        """Conversations, latest change first; `before` is the `next` of the page before."""
        return list_inbox(self._session, self._scope, wanted.decided(self._session), limit=limit, before=before)

    def search(self, sought: Sequence[Sought], wanted: Wanted, *, before: str | None = None, limit: int = PAGE) -> Hits:
        """Turns that have all of these words, latest first; `before` is the `next` of the page before."""
        decided = wanted.decided(self._session)
        return search_turns(self._session, self._scope, sought, decided, limit=limit, before=before)

    def transcript(self, conversation_id: str, *, around: int | None = None, limit: int = TURNS) -> Transcript | None:
        """The end of a conversation, or the stretch around a turn's number."""
        return read_transcript(self._session, self._scope, conversation_id, limit=limit, around=around)

    def later(self, conversation_id: str, *, after: int, limit: int = TURNS) -> list[TurnPage] | None:
        """The turns of a conversation behind number `after`; None: none that may be read."""
        return read_later(self._session, self._scope, conversation_id, after=after, limit=limit)

    def turn(self, turn_id: str) -> TurnPage | None:
        """One turn with everything that belongs to it."""
        return read_turn(self._session, self._scope, turn_id)

    def turns(self, turn_ids: Collection[str]) -> list[TurnPage]:
        """Several turns, in order, with everything that belongs to them."""
        return read_turns(self._session, self._scope, turn_ids)

    def attachment(self, attachment_id: str) -> tuple[Attachment, Turn] | None:
        """A file and its turn."""
        return find_attachment(self._session, self._scope, attachment_id)

    def latest_pictures(self, conversation_id: str, before_seq: int) -> list[Attachment]:
        """Files of the last turn before that number which had any."""
        return latest_pictures(self._session, self._scope, conversation_id, before_seq)

    def place(self, place_id: str) -> tuple[Place, Workspace] | None:
        """A place and its workspace."""
        return find_place(self._session, self._scope, place_id)

    def workspace(self, workspace_id: str) -> Workspace | None:
        """A workspace, if all of it may be read."""
        return find_workspace(self._session, self._scope, workspace_id)

    def waiting(self, admin_id: str, *, limit: int = PAGE) -> list[Waiting]:
        """Conversations that wait for a human, longest first, then those in which somebody waits for this admin."""
        return list_waiting(self._session, self._scope, admin_id, limit)

    def count_waiting(self) -> int:
        """How many conversations wait for a human whom nobody is yet."""
        return count_waiting(self._session, self._scope)

    def handover(self, conversation_id: str) -> Handover | None:
        """Who answers in a conversation."""
        return read_handover(self._session, self._scope, conversation_id)

    def heads(self, wanted: Wanted, sought: Sequence[Sought] = (), *, after: str = "", limit: int = TURNS) -> Heads:
        """Conversations from the first to the last; `after` is the `next` of the page before."""
        decided = wanted.decided(self._session)
        return read_heads(self._session, self._scope, decided, sought, after=after, limit=limit)

    def turns_of(self, conversation_ids: Sequence[str], *, after: Spot | None = None, limit: int) -> list[TurnRecord]:
        """Turns of these conversations behind that spot, with all that was said about them."""
        return read_records(self._session, self._scope, conversation_ids, after=after, limit=limit)

    def person(self, person_id: str) -> PersonKept | None:
        """A person, and what is kept of what this person asked."""
        return read_person(self._session, self._scope, person_id)

    def kept(self, conversation_id: str) -> ConversationKept | None:
        """What is kept of a conversation, and whether it must be."""
        return read_conversation(self._session, self._scope, conversation_id)

    def held(self, limit: int = PAGE) -> list[tuple[ConversationHold, Conversation]]:
        """Conversations that must be kept."""
        return list_held(self._session, self._scope, limit)

    def choices(self) -> Choices:
        """What the filters offer."""
        return list_choices(self._session, self._scope)

    def remarks(self, turn_ids: Sequence[str]) -> dict[str, Remarks]:
        """What admins said about these turns."""
        return read_remarks(self._session, self._scope, turn_ids)

    def marks(self, conversation_ids: Sequence[str], admin_id: str = "") -> dict[str, Marks]:
        """What the list shows of the review of these conversations, to an admin who may have to judge by himself."""
        return read_marks(self._session, self._scope, conversation_ids, admin_id)

    def review_choices(self) -> ReviewChoices:
        """What the filters of reviewing offer."""
        return read_review_choices(self._session, self._scope)

    def queues(self) -> list[QueueRow]:
        """The review queues, by name, with what is in them."""
        return list_queues(self._session, self._scope)

    def queue_is_seen(self, queue_id: str) -> bool:
        """Whether there is such a queue and it concerns what may be read."""
        return is_seen(self._session, self._scope, queue_id)

    def at_work(self, queue_id: str, turn_id: str) -> AtWork | None:
        """A turn as an item of a queue."""
        return at_work(self._session, self._scope, queue_id, turn_id)

    def queue(self, queue_id: str, admin_id: str) -> QueueView | None:
        """One queue, and how far its judges agree, without what this admin is not to know before he has judged."""
        return view_queue(self._session, self._scope, queue_id, admin_id)
