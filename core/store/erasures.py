"""Erasing turns with everything that belongs to them, and the record that it happened.

A person, a conversation or a message is erased because somebody wants it, and turns because they are too old; all of it
goes through `erase`. In a thread that several people share only this person's questions with their answers go; the
others' stay, with what they quote. What the eyes saw in this person's pictures goes from the others' turns, too.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Text, cast, delete, func, insert, select, text, tuple_, update
from sqlalchemy.orm import Session

from core.errors import PictureRemoved
from core.store.models import (
    Attachment,
    Conversation,
    ConversationHold,
    Delivery,
    Erasure,
    Feedback,
    InboundEvent,
    Person,
    Turn,
    Usage,
    Workspace,
)
from core.store.numbers.keep import keep_numbers
from core.store.numbers_tables import NumbersPerson
from core.store.telegram_tables import TelegramBusiness
from core.values import AttachmentState, DeliveryState, Platform, new_id

# Pages of the index of words that one transaction rewrites: some milliseconds, so that nobody waits for the writer.
PURGE_PAGES = 500
# The command itself counts as one change.
_WORKED = 2
_AS_IT_IS: dict[str, Any] = {"synchronize_session": False}
# Makes the title of a conversation from its first question.
Title = Callable[[str], str]
_HELD = select(ConversationHold.conversation_id)


class Kind(StrEnum):
    """Why something was erased."""

    PERSON = "person"
    CONVERSATION = "conversation"
    # Its message was deleted where it was written.
    MESSAGE = "message"
    # A batch of what was too old; such a record goes when its blobs have gone.
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Gone:
    """What one batch removed. `pictures` as they were sent; `byte_size` of the blobs that nobody names any more."""

    turns: int
    conversations: int
    pictures: int
    byte_size: int


class ErasureRepository:
    """One batch of turns in each transaction; a record that is true after each of them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def turns_of(self, person_id: str) -> list[str]:
        """Ids of everything that this person asked, but what is held. Reads through all turns there are: it is rare."""
        mine = select(Turn.id).where(Turn.person_id == person_id, Turn.conversation_id.not_in(_HELD))
        return list(self._session.scalars(mine.order_by(Turn.id)).all())

    def held_of(self, person_id: str) -> int:
        """How many of this person's turns are held. Reads through all turns there are."""
        mine = select(func.count()).select_from(Turn).where(Turn.person_id == person_id)
        return self._session.scalar(mine.where(Turn.conversation_id.in_(_HELD))) or 0

    def turns_in(self, conversation_id: str) -> list[str]:
        """Ids of everything in a conversation, unless it is held."""
        mine = select(Turn.id).where(Turn.conversation_id == conversation_id, Turn.conversation_id.not_in(_HELD))
        return list(self._session.scalars(mine.order_by(Turn.id)).all())

    def conversation_to_leave(self, turn_id: str) -> Conversation | None:
        """Where this turn stands; None: it is gone, or must be kept."""
        there = select(Conversation).join(Turn, Turn.conversation_id == Conversation.id)
        return self._session.scalars(there.where(Turn.id == turn_id, Conversation.id.not_in(_HELD))).one_or_none()

    def is_being_brought(self, turn_id: str) -> bool:
        """Whether somebody has still to bring its answer to its end on a platform."""
        open_ = Delivery.state.in_([DeliveryState.PENDING, DeliveryState.SENDING])
        return self._session.scalar(select(Delivery.id).where(Delivery.turn_id == turn_id, open_).limit(1)) is not None

    def words_are_left(self, since: datetime) -> bool:
        """Whether messages were erased since then, whose words nobody has purged."""
        mine = select(Erasure.id).where(Erasure.kind == Kind.MESSAGE, Erasure.created_at >= since)
        return self._session.scalar(mine.limit(1)) is not None

    def begin(
        self, kind: Kind, now: datetime, *, workspace_id: str = "", person_id: str = "", conversation_id: str = ""
    ) -> str:
        """Record that something is to be erased. The record's id."""
        record = {"id": new_id(), "kind": kind.value, "workspace_id": workspace_id, "created_at": now}
        record |= {"person_id": person_id, "conversation_id": conversation_id}
        self._session.execute(insert(Erasure), record | {"turns": 0, "conversations": 0, "pictures": 0})
        return str(record["id"])

    def begin_person(self, person_id: str, now: datetime) -> str:
        """Record that this person wants to be forgotten, and forget what is not part of a turn. The record's id.

        His language and where he belongs stay, so that he can go on asking; what Telegram told of his business account
        it tells again when somebody writes there.
        """
        person, workspace = self._session.execute(
            select(Person, Workspace).join(Workspace, Workspace.id == Person.workspace_id).where(Person.id == person_id)
        ).one()
        self._run(delete(Feedback).where(Feedback.person_id == person_id))
        self._run(delete(NumbersPerson).where(NumbersPerson.person_id == person_id))
        self._run(update(Person).where(Person.id == person_id).values(display_name=""))
        if workspace.platform == Platform.TELEGRAM and person.external_id.isdecimal():
            mine = TelegramBusiness.owner_id == int(person.external_id)
            self._run(delete(TelegramBusiness).where(TelegramBusiness.bot_id == workspace.external_id, mine))
        return self.begin(Kind.PERSON, now, workspace_id=workspace.id, person_id=person_id)

    def erase(self, erasure_id: str, turn_ids: Collection[str], title: Title) -> Gone:
        """Erase these turns with everything that belongs to them, and count them in the record.

        What they cost stays, without whose it was, and how many there were on each day in their workspace. The key of
        the event that each came by stays, so that its platform cannot bring it again. A conversation that goes on gets
        its title from its first question. What is held by now stays, whenever it was chosen.
        """
        turn_ids = self._not_held(turn_ids)
        keep_numbers(self._session, turn_ids)
        here = Turn.id.in_(turn_ids)
        titles: dict[str, set[str]] = {}
        for conversation_id, question in self._session.execute(select(Turn.conversation_id, Turn.question).where(here)):
            titles.setdefault(conversation_id, set()).add(title(question))
        pictures = self._session.execute(
            select(Attachment.blob_key, Attachment.byte_size).where(
                Attachment.turn_id.in_(turn_ids), Attachment.state == AttachmentState.STORED
            )
        ).all()
        sizes = {row.blob_key: row.byte_size for row in pictures}
        self._run(update(InboundEvent).where(InboundEvent.turn_id.in_(turn_ids)).values(turn_id=None, content_hash=""))
        self._run(update(Usage).where(Usage.turn_id.in_(turn_ids)).values(person_id=""))
        erased = self._session.scalars(delete(Turn).where(here).returning(Turn.id), execution_options=_AS_IT_IS).all()
        gone = self._drop_empty(titles)
        for conversation_id in titles.keys() - gone:
            self._leave(conversation_id, sizes, titles[conversation_id], title)
        return self._count(erasure_id, len(erased), len(gone), len(pictures), sizes)

    def remove_pictures(self, erasure_id: str, attachment_ids: Collection[str]) -> Gone:
        """Take these stored pictures from their turns, which stay and say why; what the eyes saw in them goes, too."""
        pictures = self._session.execute(
            update(Attachment)
            .where(Attachment.id.in_(attachment_ids), Attachment.state == AttachmentState.STORED)
            .values(
                state=AttachmentState.REFUSED,
                name="",
                source={},
                error_code=PictureRemoved.code,
                error_message=PictureRemoved.user_message,
            )
            .returning(Attachment.turn_id, Attachment.blob_key, Attachment.byte_size),
            execution_options=_AS_IT_IS,
        ).all()
        sizes = {row.blob_key: row.byte_size for row in pictures}
        self._run(update(Attachment).where(Attachment.id.in_(attachment_ids)).values(blob_key=""))
        turns = {row.turn_id for row in pictures}
        for conversation_id in self._session.scalars(
            select(Turn.conversation_id).where(Turn.id.in_(turns)).distinct()
        ).all():
            self._unsee(conversation_id, sizes)
        return self._count(erasure_id, 0, 0, len(pictures), sizes)

    def drop_if_empty(self, conversation_id: str) -> bool:
        """Remove a conversation in which there is no turn; False: there is one, or no such conversation."""
        return bool(self._drop_empty([conversation_id]))

    def purge_words(self, *, begin: bool) -> bool:
        """Rewrite a piece of SQLite's index of words, which only marks words as deleted; whether more is to do.

        `begin`: the first step after something was erased. PostgreSQL drops them by itself, when it vacuums.
        """
        if self._session.get_bind().dialect.name != "sqlite":
            return False
        # A negative number begins to merge all there is: https://www.sqlite.org/fts5.html#the_merge_command
        before = self._changes()
        pages = -PURGE_PAGES if begin else PURGE_PAGES
        self._session.execute(
            text("INSERT INTO turn_words (turn_words, rank) VALUES ('merge', :pages)"), {"pages": pages}
        )
        return self._changes() - before >= _WORKED

    def unfinished(self) -> list[Erasure]:
        """The records with blobs that are still to be looked at, oldest first."""
        statement = select(Erasure).where(Erasure.done_at.is_(None)).order_by(Erasure.created_at, Erasure.id)
        return list(self._session.scalars(statement).all())

    def get(self, erasure_id: str) -> Erasure | None:
        """One record, as it is now."""
        return self._session.get(Erasure, erasure_id, populate_existing=True)

    def latest_of(self, person_id: str) -> Erasure | None:
        """The last time that this person was erased."""
        mine = select(Erasure).where(Erasure.person_id == person_id, Erasure.kind == Kind.PERSON)
        return self._session.scalars(mine.order_by(Erasure.id.desc()).limit(1)).one_or_none()

    def note_blobs(self, erasure_id: str, left: Sequence[str], now: datetime) -> None:
        """So many blobs are left; none: the erasure is done."""
        done = None if left else now
        self._run(update(Erasure).where(Erasure.id == erasure_id).values(blobs_left=list(left), done_at=done))
        if not left:
            self._run(delete(Erasure).where(Erasure.id == erasure_id, Erasure.kind == Kind.RETENTION))

    def _not_held(self, turn_ids: Collection[str]) -> list[str]:
        """Those of the turns that may go. Until the commit nobody can hold the conversation of one."""
        joined = select(Turn.id).join(Conversation, Conversation.id == Turn.conversation_id)
        # A share of the key keeps a hold waiting, and nobody who asks or answers.
        mine = joined.where(Turn.id.in_(turn_ids)).order_by(Conversation.id, Turn.id)
        self._session.execute(mine.with_for_update(read=True, key_share=True, of=Conversation)).all()
        return list(self._session.scalars(mine.where(Turn.conversation_id.not_in(_HELD))).all())

    def _count(self, erasure_id: str, turns: int, conversations: int, pictures: int, sizes: dict[str, int]) -> Gone:
        record = self._session.scalars(select(Erasure).where(Erasure.id == erasure_id)).one()
        record.turns += turns
        record.conversations += conversations
        record.pictures += pictures
        record.blobs_left = sorted({*record.blobs_left, *sizes})
        named = set(self._session.scalars(select(Attachment.blob_key).where(Attachment.blob_key.in_(sizes))).all())
        freed = sum(size for key, size in sizes.items() if key not in named)
        return Gone(turns, conversations, pictures, freed)

    def _drop_empty(self, conversation_ids: Collection[str]) -> set[str]:
        """Remove those of the conversations in which there is no turn, unless they are held; their ids."""
        turn = select(Turn.id).where(Turn.conversation_id == Conversation.id).correlate(Conversation)
        here = Conversation.id.in_(conversation_ids)
        empty = select(Conversation.id, Conversation.last_seq).where(
            here, ~turn.exists(), Conversation.id.not_in(_HELD)
        )
        found = [(row.id, row.last_seq) for row in self._session.execute(empty)]
        # Not if somebody asks something in it at this moment.
        unchanged = delete(Conversation).where(tuple_(Conversation.id, Conversation.last_seq).in_(found))
        gone = unchanged.returning(Conversation.id)
        return set(self._session.scalars(gone, execution_options=_AS_IT_IS).all()) if found else set()

    def _leave(self, conversation_id: str, keys: Collection[str], titles: Collection[str], title: Title) -> None:
        """Tidy up a conversation that turns were erased from and that goes on.

        `keys` are of the pictures that went with them, `titles` what their questions would be called.
        """
        conversation = self._session.get(Conversation, conversation_id, populate_existing=True)
        mine = Turn.conversation_id == conversation_id
        first = self._session.execute(
            select(Turn.person_id, Turn.question).where(mine).order_by(Turn.seq).limit(1)
        ).one_or_none()
        if conversation is None or first is None:
            return
        whose = select(Turn.id).where(mine, Turn.person_id == conversation.person_id).limit(1)
        if self._session.scalar(whose) is None:
            conversation.person_id, conversation.title = first.person_id, title(first.question)
        elif conversation.title in titles:
            conversation.title = title(first.question)
        self._session.flush()
        self._unsee(conversation_id, keys)

    def _unsee(self, conversation_id: str, keys: Collection[str]) -> None:
        """Forget what the eyes saw in these pictures, unless they are still there in the same conversation."""
        if not keys:
            return
        mine = Turn.conversation_id == conversation_id
        stored = select(Attachment.blob_key).join(Turn, Turn.id == Attachment.turn_id).where(mine)
        unseen = set(keys) - set(self._session.scalars(stored.where(Attachment.blob_key.in_(keys))).all())
        looked = select(Turn.id, Turn.observations).where(mine, cast(Turn.observations, Text) != "[]")
        for turn_id, observations in self._session.execute(looked).all() if unseen else []:
            kept = [seen for seen in observations if seen["picture"] not in unseen]
            if len(kept) < len(observations):
                self._run(update(Turn).where(Turn.id == turn_id).values(observations=kept))

    def _changes(self) -> int:
        return int(self._session.execute(text("SELECT total_changes()")).scalar_one())

    def _run(self, statement: Any) -> None:
        self._session.execute(statement, execution_options=_AS_IT_IS)
