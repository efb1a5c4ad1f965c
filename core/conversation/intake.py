"""Intake: a question becomes rows in SQL, in one transaction, before anybody is told that it was received."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.conversation import digest
from core.conversation.inbound import Accepted, InboundQuestion, Named, PastTurn
from core.conversation.prompt import HISTORY_TURNS
from core.conversation.question_checks import check_question
from core.conversation.titles import title_of
from core.errors import (
    Busy,
    EventKeyReused,
    NotFound,
    QuestionErased,
    StoreError,
)
from core.media.blobs import BlobStore
from core.policy.admission import Admission
from core.policy.watch import Policies
from core.settings import Settings
from core.store.attachments import StoredFile
from core.store.database import Repositories, Store
from core.store.models import Conversation, Person, Turn
from core.store.places import conversation_name
from core.store.turn_history import PastRow
from core.values import AttachmentState, TurnState, new_id, utc_now

# What was found to be there may be undone before it is looked at, but not for ever.
_TRIES = 3


class Doubled(Exception):
    """The event was taken in before, or is at this moment; `Intake.before` tells what it became."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question that was checked, with its pictures in the blob store. `digests`: see `_digests`."""

    inbound: InboundQuestion
    digests: tuple[str, ...]


class Intake:
    """Accepts questions, in two steps so that many can share a transaction: `prepare`, then `write`. Synchronous.

    `policies`: who is served, and within which quotas; without them everybody, and all.
    """

    def __init__(self, store: Store, blobs: BlobStore, settings: Settings, policies: Policies | None = None) -> None:
        self._store = store
        self._blobs = blobs
        self._settings = settings
        self._admission = Admission(policies)

    def accept(self, inbound: InboundQuestion, *, urgent: bool = False) -> Accepted:
        """Commit the question in a transaction of its own; when this returns, nothing can lose it. `urgent`: see
        `Store.write`.

        Raises:
            EmptyQuestion, QuestionTooLong, TooManyPictures: the question itself cannot be taken.
            EventKeyReused: another question was accepted under this event key.
            Busy: too many questions wait, of this person or of everybody.
            NotServed, QuotaReached: an admin has decided so.
            NotFound: `conversation_id` is not one of this person's.
            QuestionErased: the event became a question that was erased; or it was no question when it came first.
        """
        prepared = self.prepare(inbound)
        if isinstance(prepared, Accepted):
            return prepared
        for _ in range(_TRIES):
            try:
                with self._store.write(urgent=urgent) as repositories:
                    return self.write(repositories, prepared)
            except Doubled:
                if (before := self.before(inbound)) is not None:
                    return before
        raise StoreError("an event comes and goes")

    def prepare(self, inbound: InboundQuestion) -> Prepared | Accepted:
        """All that needs no write: the checks, the bytes of the pictures. Accepted: it came before.

        Blocking only where there are pictures, and slow only with them or a history. Raises as `accept`.
        """
        check_question(inbound, self._settings)
        self._admission.check_person(inbound)
        pictures = _all_pictures(inbound)
        if pictures and (before := self._foresee(inbound)) is not None:
            return before
        # Blobs first: a row never points at bytes that are not there. Bytes without a row: `core.media.orphans`.
        for named in pictures:
            self._blobs.put(named.picture.data)
        return Prepared(inbound, tuple(_digests(inbound)))

    def write(self, repositories: Repositories, prepared: Prepared) -> Accepted:
        """Its rows, in a transaction (or savepoint) that must be undone if this raises.

        Raises:
            Doubled: ask `before`.
            Busy, NotServed, QuotaReached, NotFound: as `accept`.
        """
        inbound, turn_id = prepared.inbound, new_id()
        # The keys first: whoever else brings the same event waits here, or finds it.
        if not repositories.inbound.take_in(inbound.platform, inbound.keys, turn_id, content_hash=inbound.content_hash):
            raise Doubled
        person = repositories.people.person_of(
            inbound.platform, inbound.workspace, inbound.person, display_name=inbound.person_name, locale=inbound.locale
        )
        self._check_room(repositories, person, inbound.for_many)
        conversation = self._conversation(repositories, inbound, prepared.digests, person.workspace_id, person)
        self._admission.check_quotas(repositories, person, conversation)
        return self._add_turn(repositories, inbound, turn_id, conversation, person)

    def before(self, inbound: InboundQuestion) -> Accepted | None:
        """What the same event became when it came before; None: nothing. Raises as `accept`."""
        with self._store.read() as repositories:
            return self._before(repositories, inbound)

    def _foresee(self, inbound: InboundQuestion) -> Accepted | None:
        """What the commit would find or refuse by now, so that questions which are not taken leave no bytes behind.

        The commit looks again: only what it sees is sure.
        """
        with self._store.read() as repositories:
            if (before := self._before(repositories, inbound)) is not None:
                return before
            # Nothing waits of somebody who has never been here.
            person = repositories.people.known(inbound.platform, inbound.workspace, inbound.person) or Person(id="")
            self._check_room(repositories, person, inbound.for_many)
            own = inbound.conversation_id
            conversation = self._owned(repositories, own, person) if own is not None else None
            self._admission.check_quotas(repositories, person, conversation)
        return None

    def _before(self, repositories: Repositories, inbound: InboundQuestion) -> Accepted | None:
        for key in inbound.keys:
            event = repositories.inbound.find(inbound.platform, key)
            if event is None:
                continue
            turn = repositories.turns.get(event.turn_id) if event.turn_id is not None else None
            if turn is None:
                raise QuestionErased
            if event.content_hash != inbound.content_hash:
                raise EventKeyReused
            handed_over = turn.state == TurnState.HANDED_OVER
            return Accepted(turn.id, turn.conversation_id, turn.person_id, duplicate=True, handed_over=handed_over)
        return None

    def _check_room(self, repositories: Repositories, person: Person, for_many: bool) -> None:
        waiting, total = repositories.turns.counts_open(person.id)
        if for_many:
            # Room is left for the others: a program paces itself by 429 and would fill all of it.
            if waiting >= max(1, self._settings.waiting_total // 2):
                raise Busy(
                    user_message=f"{waiting} questions of this key are waiting already. Please wait for some answers "
                    "first, and send fewer at once."
                )
        elif waiting >= self._settings.waiting_per_person:
            raise Busy(user_message=f"You have {waiting} questions waiting already. Please wait for an answer first.")
        if total >= self._settings.waiting_total:
            raise Busy

    def check_again(self, repositories: Repositories, turn: Turn) -> None:
        """Before a question that was accepted once is answered anew.

        Raises:
            QuotaReached: not now.
        """
        person = repositories.session.get(Person, turn.person_id)
        if person is not None:
            conversation = repositories.conversations.get(turn.conversation_id)
            self._admission.check_quotas(repositories, person, conversation, again=True)

    def _conversation(
        self,
        repositories: Repositories,
        inbound: InboundQuestion,
        digests: Sequence[str],
        workspace_id: str,
        person: Person,
    ) -> Conversation:
        if inbound.conversation_id is not None:
            return self._owned(repositories, inbound.conversation_id, person)
        if digests and (continued := self._continued(repositories, digests[-1], person)) is not None:
            return continued
        place = repositories.places.get_or_create(workspace_id, inbound.place) if inbound.place else None
        conversation = repositories.conversations.get_or_create(
            workspace_id,
            inbound.conversation or (conversation_name(place) if place is not None else new_id()),
            person.id,
            title=_title(inbound),
            system_prompt=inbound.system_prompt,
            place_id=place.id if place is not None else None,
        )
        if conversation.last_seq == 0:
            self._import_history(repositories, inbound, digests, conversation, person)
        return conversation

    def _owned(self, repositories: Repositories, conversation_id: str, person: Person) -> Conversation:
        conversation = repositories.conversations.owned(conversation_id, person.id)
        if conversation is None:
            raise NotFound(user_message="This conversation does not exist (any more). Please start a new one.")
        return conversation

    def _continued(self, repositories: Repositories, history: str, person: Person) -> Conversation | None:
        """The stored conversation that the history of this digest is the whole of, if there is one."""
        last = repositories.turns.find_by_history(person.id, history)
        if last is None:
            return None
        # None: something came after it, perhaps at this very moment. The client went back and branches off, so it gets
        # a conversation of its own.
        return repositories.conversations.go_on_behind(last.conversation_id, last.seq, utc_now())

    def _import_history(
        self,
        repositories: Repositories,
        inbound: InboundQuestion,
        digests: Sequence[str],
        conversation: Conversation,
        person: Person,
    ) -> None:
        """Store the newest turns of the history, as many as a prompt reads; their digests are of all of it."""
        kept = _kept(inbound)
        rows = [
            PastRow(past.question, past.answer, history_hash)
            for past, history_hash in zip(kept, digests[-len(kept) :], strict=True)
        ]
        turn_ids = repositories.turns.add_history(conversation.id, person.id, rows, utc_now())
        repositories.attachments.add_stored(
            file for turn_id, past in zip(turn_ids, kept, strict=True) for file in _files(turn_id, past.pictures)
        )

    def _add_turn(
        self,
        repositories: Repositories,
        inbound: InboundQuestion,
        turn_id: str,
        conversation: Conversation,
        person: Person,
    ) -> Accepted:
        turn = repositories.turns.add(
            conversation.id,
            person.id,
            inbound.question,
            state=TurnState.GATHERING if inbound.pending or inbound.gather_until else TurnState.READY,
            options=dict(inbound.options),
            not_before=inbound.gather_until,
            now=utc_now(),
            turn_id=turn_id,
        )
        repositories.attachments.add_stored(_files(turn.id, inbound.pictures))
        position = len(inbound.pictures)
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
        handed_over = turn.state == TurnState.HANDED_OVER
        if inbound.reply_to:
            deliveries = repositories.deliveries
            deliveries.open(turn.id, inbound.platform, inbound.reply_to, turn.created_at, parked=handed_over)
        return Accepted(turn.id, conversation.id, person.id, handed_over=handed_over)


def _files(turn_id: str, pictures: Iterable[Named]) -> list[StoredFile]:
    return [named.stored(turn_id, position) for position, named in enumerate(pictures)]


def _kept(inbound: InboundQuestion) -> Sequence[PastTurn]:
    """What of the history is stored: no prompt reads more."""
    return inbound.history[-HISTORY_TURNS:]


def _all_pictures(inbound: InboundQuestion) -> list[Named]:
    return [*inbound.pictures, *(named for past in _kept(inbound) for named in past.pictures)]


def _digests(inbound: InboundQuestion) -> list[str]:
    """The digest of the conversation after each turn of the history."""
    so_far = digest.root(inbound.system_prompt)
    return [
        so_far := digest.extend(so_far, past.question, [n.picture.key for n in past.pictures], past.answer)
        for past in inbound.history
    ]


def _title(inbound: InboundQuestion) -> str:
    return title_of(inbound.history[0].question if inbound.history else inbound.question)
