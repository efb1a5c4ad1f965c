"""Intake: a question becomes rows in SQL, in one transaction, before anybody is told that it was received."""

from collections.abc import Iterable

from core.conversation import digest
from core.conversation.inbound import Accepted, InboundQuestion, Named
from core.errors import Busy, EmptyQuestion, EventKeyReused, NotFound, QuestionTooLong, TooManyPictures
from core.media.blobs import BlobStore
from core.settings import Settings
from core.store.database import Repositories, Store
from core.store.models import Conversation, Person
from core.values import AttachmentState, TurnState, new_id, utc_now

TITLE_CHARS = 60


class Intake:
    """Accepts questions. Synchronous: adapters call it through a thread."""

    def __init__(self, store: Store, blobs: BlobStore, settings: Settings) -> None:
        self._store = store
        self._blobs = blobs
        self._settings = settings

    def accept(self, inbound: InboundQuestion) -> Accepted:
        """Commit the question; when this returns, nothing can lose it.

        Raises:
            EmptyQuestion, QuestionTooLong, TooManyPictures: the question itself cannot be taken.
            EventKeyReused: another question was accepted under this event key.
            Busy: too many questions wait, of this person or of everybody.
            NotFound: `conversation_id` is not one of this person's.
        """
        self._check(inbound)
        # Blobs first: a row never points at bytes that are not there. Bytes without a row are swept by retention.
        for named in _all_pictures(inbound):
            self._blobs.put(named.picture.data)
        try:
            return self._commit(inbound)
        except _Doubled:
            # The same event was committed between our look and our insert; ours was rolled back, theirs is found.
            return self._commit(inbound)

    def _commit(self, inbound: InboundQuestion) -> Accepted:
        with self._store.write() as repositories:
            if (before := self._before(repositories, inbound)) is not None:
                return before
            workspace = repositories.people.workspace(inbound.platform, inbound.workspace)
            person = repositories.people.person(
                workspace.id, inbound.person, display_name=inbound.person_name, locale=inbound.locale
            )
            self._check_room(repositories, person, inbound.for_many)
            conversation = self._conversation(repositories, inbound, workspace.id, person)
            return self._add_turn(repositories, inbound, conversation, person)

    def _before(self, repositories: Repositories, inbound: InboundQuestion) -> Accepted | None:
        """What the same event became when it came before."""
        event = repositories.inbound.find(inbound.platform, inbound.event_key)
        if event is None or event.turn_id is None or (turn := repositories.turns.get(event.turn_id)) is None:
            return None
        if event.content_hash != inbound.content_hash:
            raise EventKeyReused
        return Accepted(turn.id, turn.conversation_id, turn.person_id, duplicate=True)

    def _check(self, inbound: InboundQuestion) -> None:
        files = len(inbound.pictures) + len(inbound.refused) + len(inbound.pending)
        if not inbound.question.strip() and not files:
            raise EmptyQuestion
        if len(inbound.question) > (most := self._settings.question_max_chars):
            raise QuestionTooLong(user_message=f"The question is too long. Please keep it below {most:,} characters.")
        pictures = len(inbound.pictures) + len(inbound.pending)
        if pictures > (most := self._settings.pictures_per_turn):
            raise TooManyPictures(
                user_message=f"These files have {pictures} pictures; each page of a document counts as one. "
                f"Please send at most {most} with one question."
            )

    def _check_room(self, repositories: Repositories, person: Person, for_many: bool) -> None:
        waiting = repositories.turns.count_open(person.id)
        if for_many:
            # Room is left for the others: a program paces itself by 429 and would fill all of it.
            if waiting >= max(1, self._settings.waiting_total // 2):
                raise Busy(
                    user_message=f"{waiting} questions of this key are waiting already. Please wait for some answers "
                    "first, and send fewer at once."
                )
        elif waiting >= self._settings.waiting_per_person:
            raise Busy(user_message=f"You have {waiting} questions waiting already. Please wait for an answer first.")
        if repositories.turns.count_open_total() >= self._settings.waiting_total:
            raise Busy

    def _conversation(
        self, repositories: Repositories, inbound: InboundQuestion, workspace_id: str, person: Person
    ) -> Conversation:
        if inbound.conversation_id is not None:
            conversation = repositories.conversations.owned(inbound.conversation_id, person.id)
            if conversation is None:
                raise NotFound(user_message="This conversation does not exist (any more). Please start a new one.")
            return conversation
        if inbound.history and (continued := self._continued(repositories, inbound, person)) is not None:
            return continued
        conversation = repositories.conversations.get_or_create(
            workspace_id,
            inbound.conversation or new_id(),
            person.id,
            title=_title(inbound),
            system_prompt=inbound.system_prompt,
        )
        if conversation.last_seq == 0:
            self._import_history(repositories, inbound, conversation, person)
        return conversation

    def _continued(self, repositories: Repositories, inbound: InboundQuestion, person: Person) -> Conversation | None:
        """The stored conversation that the brought history is the whole of, if there is one."""
        last = repositories.turns.find_by_history(person.id, _history_digest(inbound))
        if last is None:
            return None
        conversation = repositories.conversations.get(last.conversation_id)
        # Something came after it: the client went back and branches off, so it gets a conversation of its own.
        return conversation if conversation is not None and conversation.last_seq == last.seq else None

    def _import_history(
        self, repositories: Repositories, inbound: InboundQuestion, conversation: Conversation, person: Person
    ) -> None:
        so_far = digest.root(inbound.system_prompt)
        for past in inbound.history:
            so_far = digest.extend(so_far, past.question, [n.picture.key for n in past.pictures], past.answer)
            turn = repositories.turns.add(
                conversation.id,
                person.id,
                past.question,
                state=TurnState.DELIVERED,
                answer=past.answer,
                history_hash=so_far,
                now=utc_now(),
            )
            _attach_stored(repositories, turn.id, past.pictures)

    def _add_turn(
        self, repositories: Repositories, inbound: InboundQuestion, conversation: Conversation, person: Person
    ) -> Accepted:
        turn = repositories.turns.add(
            conversation.id,
            person.id,
            inbound.question,
            state=TurnState.GATHERING if inbound.pending else TurnState.READY,
            options=dict(inbound.options),
            now=utc_now(),
        )
        position = _attach_stored(repositories, turn.id, inbound.pictures)
        for refused in inbound.refused:
            repositories.attachments.add(
                turn.id,
                position,
                state=AttachmentState.REFUSED,
                name=refused.name,
                error_code=refused.code,
                error_message=refused.message,
            )
            position += 1
        for pending in inbound.pending:
            repositories.attachments.add(
                turn.id, position, state=AttachmentState.PENDING, name=pending.name, source=dict(pending.source)
            )
            position += 1
        if not repositories.inbound.first(
            inbound.platform, inbound.event_key, turn.id, content_hash=inbound.content_hash
        ):
            raise _Doubled
        return Accepted(turn.id, conversation.id, person.id)


class _Doubled(Exception):
    """The same event was accepted at the same moment (possible on PostgreSQL, where writers run in parallel)."""


def _attach_stored(repositories: Repositories, turn_id: str, pictures: Iterable[Named]) -> int:
    position = 0
    for named in pictures:
        picture = named.picture
        repositories.attachments.add(
            turn_id,
            position,
            state=AttachmentState.STORED,
            name=named.name,
            blob_key=picture.key,
            media_type=picture.media_type,
            width=picture.width,
            height=picture.height,
            byte_size=len(picture.data),
        )
        position += 1
    return position


def _all_pictures(inbound: InboundQuestion) -> Iterable[Named]:
    yield from inbound.pictures
    for past in inbound.history:
        yield from past.pictures


def _history_digest(inbound: InboundQuestion) -> str:
    so_far = digest.root(inbound.system_prompt)
    for past in inbound.history:
        so_far = digest.extend(so_far, past.question, [n.picture.key for n in past.pictures], past.answer)
    return so_far


def _title(inbound: InboundQuestion) -> str:
    first = inbound.history[0].question if inbound.history else inbound.question
    words = " ".join(first.split())
    return words if len(words) <= TITLE_CHARS else words[: TITLE_CHARS - 1].rstrip() + "…"
