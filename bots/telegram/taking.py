"""Messages → turns in SQL: a question of its own, or more of one that is being asked. Synchronous.

| what comes | what it becomes |
|---|---|
| a picture of an album | one turn with all of it, while that is not answered |
| pictures, then words | one turn, whose question the words are |
| words, then pictures (as in forwarding with a comment) | one turn, too |
| a reply to an answer or a question | a turn of that conversation |
| everything else | a turn of the place's current conversation |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bots.services import Services
from bots.telegram.message import Said
from bots.telegram.words import quoted
from core.conversation.inbound import InboundQuestion, Pending
from core.conversation.joining import Addition, Joined, Latest, join, latest, turn_of_key
from core.store.models import Conversation
from core.values import Platform, utc_now

# Pictures without words get their words within a minute, or they are looked at without.
WORDS_WITHIN = timedelta(seconds=60)
# Forwarding with a comment sends the comment first.
PICTURES_WITHIN = timedelta(seconds=10)
# Parts of one album that were each answered before the next one came.
_ALBUM_TURNS = 10
_QUOTED_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What a message became. `turn_id` is empty where there was nothing to take in, or where it had been taken in.

    `gathers`: something is waited for or fetched. `interrupted`: see `core.conversation.joining.Joining`.
    """

    turn_id: str = ""
    person_id: str = ""
    conversation_id: str = ""
    gathers: bool = False
    interrupted: int = 0


NOTHING = Taken()


class Taking:
    """Writes to SQL; nothing else."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._intake = services.intake
        settings = services.settings
        self._album_wait = timedelta(seconds=settings.telegram_album_wait_s)
        self._caption_wait = timedelta(seconds=settings.telegram_caption_wait_s)
        self._comment_wait = timedelta(seconds=settings.telegram_comment_wait_s)

    def take(self, said: Said, question: str, files: Sequence[Pending]) -> Taken:
        """A message that is for us, with all files that it is about.

        Raises:
            RequestError: it cannot be taken; say why.
            StoreError: nothing was written.
        """
        if not question and not files:
            return NOTHING
        keys = said.keys
        if said.album:
            part = self.take_part(said, question, files)
            if part is not None:
                return part
            keys = (*keys, self._free_album_key(said))
        last = self._last(said)
        if last is not None and last.is_open and last.by_same_person:
            addition = self._addition(said, keys, question, files, last)
            if addition is not None and (joined := self._join(last.turn_id, addition)) is not None:
                return joined
        return self._ask(said, keys, question, files, begins=last is None)

    def take_part(self, said: Said, question: str, files: Sequence[Pending]) -> Taken | None:
        """A picture of an album that is being asked about; None: no other picture of it has been, or is any more.

        Raises:
            StoreError: nothing was written.
        """
        for number in range(_ALBUM_TURNS):
            turn_id = turn_of_key(self._store, Platform.TELEGRAM, f"{said.album_key}:{number}")
            if turn_id is None:
                return None
            addition = Addition(said.keys, question, tuple(files), self._album_wait)
            if (joined := self._join(turn_id, addition)) is not None:
                return joined
        return None

    def is_answered_by_a_human(self, said: Said) -> bool:
        """Whether it replies to something in a conversation in which a human answers.

        Raises:
            StoreError: nobody knows.
        """
        conversation = self._replied_conversation(said)
        return conversation is not None and conversation.handed_over_at is not None

    def _free_album_key(self, said: Said) -> str:
        taken = (
            number
            for number in range(_ALBUM_TURNS)
            if turn_of_key(self._store, Platform.TELEGRAM, f"{said.album_key}:{number}") is None
        )
        return f"{said.album_key}:{next(taken, _ALBUM_TURNS)}"

    def _join(self, turn_id: str, addition: Addition) -> Taken | None:
        """None: that turn has ended."""
        joining = join(self._store, Platform.TELEGRAM, turn_id, addition)
        if joining.joined is Joined.OVER:
            return None
        if joining.joined is Joined.KNOWN:
            return NOTHING
        return Taken(turn_id, gathers=True, interrupted=joining.interrupted)

    def _last(self, said: Said) -> Latest | None:
        return latest(self._store, Platform.TELEGRAM, said.bot_id, said.place, str(said.user_id))

    def _addition(
        self, said: Said, keys: tuple[str, ...], question: str, files: Sequence[Pending], last: Latest
    ) -> Addition | None:
        """What the message adds to the last turn; None: it does not belong to it."""
        if said.reply is not None:
            if last.asks or said.reply.ours or self._replied_turn(said) != last.turn_id:
                return None
            # The words for the pictures that they reply to, which are there already.
            return Addition(keys, question, said.files, self._wait(said, question) or timedelta(0))
        wait = None
        if not files:
            # The words for pictures.
            wait = timedelta(0) if not last.asks and last.files and last.age < WORDS_WITHIN else None
        elif not last.asks and last.is_gathering:
            # One picture after another.
            wait = self._wait(said, question) or timedelta(0)
        elif not question and not last.files and last.age < PICTURES_WITHIN:
            # The pictures for words.
            wait = self._album_wait if said.album else timedelta(0)
        return Addition(keys, question, tuple(files), wait) if wait is not None else None

    def _wait(self, said: Said, question: str, *, begins: bool = False) -> timedelta | None:
        """How long to wait for more of a question; None: it is whole."""
        waits = [
            self._album_wait if said.album else timedelta(0),
            self._caption_wait if said.files and not question and said.reply is None else timedelta(0),
            self._comment_wait if begins and not said.files and said.reply is None else timedelta(0),
        ]
        return max(waits) or None

    def _ask(
        self, said: Said, keys: tuple[str, ...], question: str, files: Sequence[Pending], *, begins: bool
    ) -> Taken:
        # In a group the words that turn to us are for what is there already.
        wait = self._wait(said, question, begins=begins and not said.in_group and not files)
        user = said.user
        accepted = self._intake.accept(
            InboundQuestion(
                platform=Platform.TELEGRAM,
                workspace=said.bot_id,
                person=str(said.user_id),
                event_key=keys[0],
                other_keys=keys[1:],
                question=question,
                conversation=self._conversation(said),
                place=said.place,
                reply_to=said.target.stored(),
                gather_until=utc_now() + wait if wait is not None else None,
                person_name=user.full_name if user is not None else "",
                locale=(user.language_code or "") if user is not None else "",
                pending=tuple(files),
            ),
            urgent=True,
        )
        if accepted.duplicate:
            if said.album and turn_of_key(self._store, Platform.TELEGRAM, said.key) is None:
                # Not this picture was known, but its album: another process has just begun it.
                return self.take(said, question, files)
            return NOTHING
        return Taken(
            accepted.turn_id,
            accepted.person_id,
            accepted.conversation_id,
            gathers=bool(files) or wait is not None,
        )

    def _conversation(self, said: Said) -> str | None:
        """The conversation of the message that is replied to; None: the place's current one."""
        conversation = self._replied_conversation(said)
        return conversation.external_id if conversation is not None else None

    def _replied_conversation(self, said: Said) -> Conversation | None:
        turn_id = self._replied_turn(said)
        if turn_id is None:
            return None
        with self._store.read() as repositories:
            turn = repositories.turns.get(turn_id)
            return repositories.conversations.get(turn.conversation_id) if turn is not None else None

    def _replied_turn(self, said: Said) -> str | None:
        """The turn whose question or answer is replied to; None: there is none."""
        if said.reply is None or not said.reply.message_id:
            return None
        post, event_key = said.reply_keys()
        with self._store.read() as repositories:
            workspace = repositories.people.known_workspace(Platform.TELEGRAM, said.bot_id)
            if workspace is None:
                return None
            shown = repositories.deliveries.turn_shown_by(Platform.TELEGRAM, workspace.id, post)
            event = repositories.inbound.find(Platform.TELEGRAM, event_key)
            return shown.id if shown is not None else event.turn_id if event is not None else None


def question_of(said: Said, words: str) -> str:
    """The question that a message asks with `words`: about what it replies to, which may be words as well."""
    reply = said.reply
    if reply is None or not reply.said.strip():
        return words
    return quoted(words, [reply.said[:_QUOTED_CHARS]])


def files_of(said: Said, overheard: Sequence[Pending] = ()) -> tuple[Pending, ...]:
    """All files that a message is about, what was there before first; each once."""
    replied = said.reply.files if said.reply is not None else ()
    by_id = {str(file.source.get("unique")): file for file in (*replied, *overheard, *said.files)}
    return tuple(by_id.values())
