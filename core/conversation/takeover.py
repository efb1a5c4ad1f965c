"""Taking over: an admin answers in a conversation in the model's place, and gives it back (docs/adr/0024).

What he says is the answer of a turn, brought by the same outbox as a model's. Synchronous; called through a thread. The
caller has checked that the admin may see the conversation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import structlog
from redis import Redis

from core.conversation.inbound import Named
from core.errors import (
    EmptyQuestion,
    EventKeyReused,
    NotFound,
    NotTaken,
    QuestionTooLong,
    TakenByAnother,
    TooManyPictures,
)
from core.media.blobs import BlobStore
from core.queue.handover import leave_to_human
from core.settings import Settings
from core.store.attachments import ANSWER_POSITION
from core.store.database import Repositories, Store
from core.store.models import Conversation
from core.values import Notice, Platform, TurnState, utc_now

log = structlog.get_logger(__name__)

# Conversations that one round gives back; the others follow in the next.
AT_ONCE = 50
# Does something more in the same transaction: an entry of the audit log.
Note = Callable[[Repositories], None]


@dataclass(frozen=True, slots=True)
class Words:
    """What an admin says. `key` is of his form: the same one again is the same words."""

    key: str
    text: str
    pictures: tuple[Named, ...] = ()

    @property
    def digest(self) -> str:
        """Of all of it."""
        return sha256("\n".join([self.text, *(named.picture.key for named in self.pictures)]).encode()).hexdigest()


class TakeOver:
    """What an admin does in a conversation. Each change is one transaction; what it says in the chat is part of it."""

    def __init__(self, store: Store, blobs: BlobStore, redis: Redis, settings: Settings) -> None:
        self._store = store
        self._blobs = blobs
        self._redis = redis
        self._settings = settings

    def take(self, conversation_id: str, admin_id: str, instead_of: str, note: Note) -> None:
        """From now on this admin answers, instead of the admin `instead_of` (empty: of nobody). What the model is
        writing is stopped. Repeated, it changes nothing.

        Raises:
            NotFound: there is no such conversation (any more), or nobody can be told anything there.
            TakenByAnother: somebody else was faster.
            StoreError: nothing was changed, or it may be repeated.
        """
        now = utc_now()
        with self._store.write() as repositories:
            self._require_reachable(repositories, conversation_id)
            if repositories.takeovers.act(conversation_id, admin_id, now) is None:
                if repositories.takeovers.take(conversation_id, admin_id, instead_of, now) is None:
                    raise TakenByAnother
                if not instead_of:
                    repositories.takeovers.say(conversation_id, Notice.TAKEN, now)
                note(repositories)
        leave_to_human(self._store, self._redis, conversation_id, self._settings.stream_ttl_s)

    def write(self, conversation_id: str, admin_id: str, words: Words, note: Note) -> str:
        """Say something in the chat: the answer to its last question where that is open. The id of its turn; once
        this returns, it will be brought there, once.

        Raises:
            NotTaken: the admin has not taken over (any more).
            EventKeyReused: other words were said with this key.
            EmptyQuestion, QuestionTooLong, TooManyPictures: it cannot be said as it is.
            NotFound: the conversation, or what was said with this key, was erased meanwhile.
            StoreError: nothing was said.
        """
        self._check(words)
        # What died between two transactions of `take` is still left to be done.
        leave_to_human(self._store, self._redis, conversation_id, self._settings.stream_ttl_s)
        for named in words.pictures:
            self._blobs.put(named.picture.data)
        with self._store.write() as repositories:
            # From here on nobody else says anything in this conversation.
            conversation = repositories.takeovers.act(conversation_id, admin_id, utc_now())
            platform = repositories.takeovers.platform_of(conversation_id)
            if platform is None:
                raise NotFound
            key = f"operator:{conversation_id}:{words.key}"
            if (said := self._said(repositories, platform, key, words)) is not None:
                return said
            if conversation is None:
                raise NotTaken
            turn_id = self._say(repositories, conversation, platform, admin_id, words)
            if not repositories.inbound.first(platform, key, turn_id, content_hash=words.digest):
                raise EventKeyReused
            repositories.attachments.add_stored(
                named.stored(turn_id, position, of_answer=True)
                for position, named in enumerate(words.pictures, ANSWER_POSITION)
            )
            note(repositories)
        return turn_id

    def hand_back(self, conversation_id: str, taken_by: str, *, answer_open: bool, note: Note) -> None:
        """The model answers again, instead of the admin `taken_by` (empty: nobody has taken over). `answer_open`: also
        what was left unanswered. Repeated, it changes nothing.

        Raises:
            NotFound: there is no such conversation (any more).
            TakenByAnother: somebody else has taken over meanwhile.
            StoreError: nothing was changed.
        """
        now = utc_now()
        with self._store.write() as repositories:
            conversation = repositories.conversations.get(conversation_id)
            if conversation is None:
                raise NotFound
            if conversation.handed_over_at is None:
                return
            if not repositories.takeovers.hand_back(conversation_id, taken_by, now):
                raise TakenByAnother
            left = repositories.turns.left_open(conversation_id, self._settings.waiting_per_person)
            notice = Notice.ASK_AGAIN if left and not answer_open else Notice.BACK
            said = repositories.takeovers.say(conversation_id, notice, now)
            if answer_open:
                repositories.turns.give_back_to_model([turn.id for turn in left], now, said)
            note(repositories)

    def _require_reachable(self, repositories: Repositories, conversation_id: str) -> None:
        platform = repositories.takeovers.platform_of(conversation_id)
        if platform is None:
            raise NotFound
        if platform is Platform.API:
            raise NotFound(user_message="A program asks here, and fetches only answers that it waits for.")
        if platform is not Platform.WEB and not repositories.takeovers.target_of(conversation_id):
            raise NotFound(user_message="Nobody knows where this chat is. Wait until something is asked in it.")

    def _said(self, repositories: Repositories, platform: Platform, key: str, words: Words) -> str | None:
        event = repositories.inbound.find(platform, key)
        if event is None:
            return None
        if event.turn_id is None:
            raise NotFound
        if event.content_hash != words.digest:
            raise EventKeyReused(
                user_message="Something else was sent with this form already. Reload the page and write it anew."
            )
        return event.turn_id

    def _say(
        self, repositories: Repositories, conversation: Conversation, platform: Platform, admin_id: str, words: Words
    ) -> str:
        now, turns, takeovers = utc_now(), repositories.turns, repositories.takeovers
        behind, target = takeovers.last_said(conversation.id), takeovers.target_of(conversation.id)
        last = turns.last_of(conversation.id)
        if last is not None and last.state == TurnState.HANDED_OVER:
            if repositories.deliveries.of_turn(last.id) is None and target:
                takeovers.open(last.id, platform, target, now, behind)
            if turns.answer_by_human(last.id, words.text, admin_id, now, behind):
                return last.id
        person_id = last.person_id if last is not None else conversation.person_id
        said = turns.say_by_human(conversation.id, person_id, words.text, admin_id, now)
        takeovers.open(said.id, platform, target, now, behind)
        return said.id

    def _check(self, words: Words) -> None:
        if not words.text.strip() and not words.pictures:
            raise EmptyQuestion(user_message="There is nothing to send. Write something, or add a picture.")
        if len(words.text) > (most := self._settings.question_max_chars):
            raise QuestionTooLong(user_message=f"This is too long. Please keep it below {most:,} characters.")
        if len(words.pictures) > (most := self._settings.pictures_per_turn):
            raise TooManyPictures(user_message=f"Please send at most {most} pictures at once.")


def return_idle(store: Store, idle_s: float, most_questions: int, now: datetime) -> Sequence[str]:
    """Give conversations back to the model whose admin has done nothing for `idle_s` seconds, with up to
    `most_questions` that he left unanswered; their ids. To be called now and then.

    Raises:
        StoreError: the rest is for the next time.
    """
    before = now - timedelta(seconds=idle_s)
    with store.read() as repositories:
        found = repositories.takeovers.idle(before, AT_ONCE)
    returned = []
    for conversation_id in found:
        with store.write() as repositories:
            if not repositories.takeovers.end_idle(conversation_id, before, now):
                continue
            said = repositories.takeovers.say(conversation_id, Notice.IDLE, now)
            left = repositories.turns.left_open(conversation_id, most_questions)
            repositories.turns.give_back_to_model([turn.id for turn in left], now, said)
        returned.append(conversation_id)
        log.info("take_over_idle", conversation=conversation_id, questions=len(left))
    return returned
