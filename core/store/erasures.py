"""Erasing what somebody asked and was answered, and the record that it happened.

In a thread that several people share only this person's questions with their answers go; the others' stay, with what
they quote. What the eyes saw in this person's pictures goes from the others' turns, too.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from core.store.models import (
    Attachment,
    Conversation,
    Erasure,
    Feedback,
    InboundEvent,
    Person,
    Turn,
    Usage,
)
from core.store.numbers.keep import keep_numbers
from core.store.numbers_tables import NumbersPerson
from core.values import AttachmentState, new_id

# Pages of the index of words that one transaction rewrites: some milliseconds, so that nobody waits for the writer.
PURGE_PAGES = 500
# The command itself counts as one change.
_WORKED = 2
_AS_IT_IS: dict[str, Any] = {"synchronize_session": False}


class ErasureRepository:
    """One batch of turns in each transaction; a record that is true after each of them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def turns_of(self, person_id: str) -> list[str]:
        """Ids of everything that this person asked. Reads through all turns there are: it is rare."""
        return list(self._session.scalars(select(Turn.id).where(Turn.person_id == person_id).order_by(Turn.id)).all())

    def begin(self, person_id: str, now: datetime) -> str:
        """Record that this person wants to be forgotten, and forget what is not part of a turn. The record's id.

        His language and where he belongs stay, so that he can go on asking.
        """
        workspace_id = self._session.scalars(select(Person.workspace_id).where(Person.id == person_id)).one()
        self._run(delete(Feedback).where(Feedback.person_id == person_id))
        self._run(delete(NumbersPerson).where(NumbersPerson.person_id == person_id))
        self._run(update(Person).where(Person.id == person_id).values(display_name=""))
        record = {"id": new_id(), "workspace_id": workspace_id, "person_id": person_id, "created_at": now}
        self._session.execute(insert(Erasure), record | {"turns": 0, "conversations": 0, "pictures": 0})
        return str(record["id"])

    def erase(self, erasure_id: str, turn_ids: Collection[str], title: Callable[[str], str]) -> None:
        """Erase these turns of the record's person, with everything that belongs to them.

        What they cost stays, without whose it was, and how many there were on each day in their workspace. The key of
        the event that each came by stays, so that its platform cannot bring it again. A conversation that others go on
        with gets its title from their first question.
        """
        here = Turn.id.in_(turn_ids)
        conversation_ids = list(self._session.scalars(select(Turn.conversation_id).where(here).distinct()).all())
        keep_numbers(self._session, turn_ids)
        keys = self._stored(Attachment.turn_id.in_(turn_ids))
        self._run(update(InboundEvent).where(InboundEvent.turn_id.in_(turn_ids)).values(turn_id=None, content_hash=""))
        self._run(update(Usage).where(Usage.turn_id.in_(turn_ids)).values(person_id=""))
        erased = self._session.scalars(delete(Turn).where(here).returning(Turn.id), execution_options=_AS_IT_IS).all()
        gone = sum(self._leave(conversation_id, keys, title) for conversation_id in conversation_ids)
        record = self._session.scalars(select(Erasure).where(Erasure.id == erasure_id)).one()
        record.turns += len(erased)
        record.conversations += gone
        record.pictures += len(keys)
        record.blobs_left = sorted({*record.blobs_left, *keys})

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

    def note_blobs(self, erasure_id: str, left: Sequence[str], now: datetime) -> None:
        """So many blobs are left; none: the erasure is done."""
        done = None if left else now
        self._run(update(Erasure).where(Erasure.id == erasure_id).values(blobs_left=list(left), done_at=done))

    def _leave(self, conversation_id: str, keys: set[str], title: Callable[[str], str]) -> bool:
        """Tidy up a conversation that turns were erased from; whether it is gone itself."""
        conversation = self._session.get(Conversation, conversation_id, populate_existing=True)
        if conversation is None:
            return False
        turns = self._session.scalars(
            select(Turn)
            .where(Turn.conversation_id == conversation_id)
            .order_by(Turn.seq)
            .execution_options(populate_existing=True)
        ).all()
        if not turns:
            # Not if somebody asks something in it at this moment.
            unchanged = delete(Conversation).where(
                Conversation.id == conversation_id, Conversation.last_seq == conversation.last_seq
            )
            gone = self._session.scalars(unchanged.returning(Conversation.id), execution_options=_AS_IT_IS).all()
            return bool(gone)
        if all(turn.person_id != conversation.person_id for turn in turns):
            self._run(
                update(Conversation)
                .where(Conversation.id == conversation_id)
                .values(person_id=turns[0].person_id, title=title(turns[0].question))
            )
        unseen = keys - self._stored(Attachment.turn_id.in_([turn.id for turn in turns]))
        for turn in turns:
            kept = [seen for seen in turn.observations if seen["picture"] not in unseen]
            if len(kept) < len(turn.observations):
                self._run(update(Turn).where(Turn.id == turn.id).values(observations=kept))
        return False

    def _changes(self) -> int:
        return int(self._session.execute(text("SELECT total_changes()")).scalar_one())

    def _stored(self, condition: Any) -> set[str]:
        stored = select(Attachment.blob_key).where(condition, Attachment.state == AttachmentState.STORED)
        return set(self._session.scalars(stored.distinct()).all())

    def _run(self, statement: Any) -> None:
        self._session.execute(statement, execution_options=_AS_IT_IS)
