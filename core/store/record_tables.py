"""Tables beside the conversations: verdicts, what answers cost, and what was erased."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, Id, partial_index
from core.values import new_id, utc_now

# Condition of a partial index; the query repeats it word for word.
BAD_FEEDBACK = "rating < 0"


class Feedback(Base):
    """One person's verdict on one answer."""

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("turn_id", "person_id"),
        # What came since the rules of the review queues were applied last.
        Index("ix_feedback_bad", "created_at", **partial_index(BAD_FEEDBACK)),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    # +1 or -1.
    rating: Mapped[int]
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Usage(Base):
    """What an attempt cost. Kept when the conversation is erased, so it holds numbers and no words."""

    __tablename__ = "usage"
    __table_args__ = (
        UniqueConstraint("turn_id", "attempt"),
        # With what is summed, so that a month's million rows are not looked up one by one.
        Index("ix_usage_workspace", "workspace_id", "created_at", "prompt_tokens", "completion_tokens"),
        Index(None, "person_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    # No foreign keys: erasing a conversation must not erase what it cost.
    workspace_id: Mapped[str] = mapped_column(Id)
    person_id: Mapped[str] = mapped_column(Id)
    turn_id: Mapped[str] = mapped_column(Id)
    attempt: Mapped[int]
    model: Mapped[str] = mapped_column(String(255))
    prompt_tokens: Mapped[int] = mapped_column(default=0)
    picture_tokens: Mapped[int] = mapped_column(default=0)
    cached_tokens: Mapped[int] = mapped_column(default=0)
    completion_tokens: Mapped[int] = mapped_column(default=0)
    engine_s: Mapped[float] = mapped_column(default=0.0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Erasure(Base):
    """That something was erased: when and how much, but not what."""

    __tablename__ = "erasures"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    # No foreign keys: the record stays when whoever it is about is gone.
    workspace_id: Mapped[str] = mapped_column(Id)
    # What it was about; empty where it was about something else.
    person_id: Mapped[str] = mapped_column(Id)
    conversation_id: Mapped[str] = mapped_column(Id, default="", server_default="")
    # A word of core.store.erasures.Kind.
    kind: Mapped[str] = mapped_column(String(16), default="person", server_default="person")
    turns: Mapped[int]
    conversations: Mapped[int]
    pictures: Mapped[int]
    # Blobs that are still to be looked at: some are too new to be removed at once (core.media.orphans).
    blobs_left: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    # None while blobs are left.
    done_at: Mapped[datetime | None] = mapped_column(index=True)
