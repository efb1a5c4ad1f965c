"""Tables of reviewing: what admins say about turns, and queues of turns that they are to look at.

All of it goes with its turn. Admins are never deleted, only disabled, so what they said keeps its author.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, Id, partial_index
from core.values import new_id, utc_now

# Conditions of partial indexes; the queries repeat them word for word.
OPEN_ITEM = "done_at IS NULL"


class TurnFlag(Base):
    """That an admin wants a turn looked at."""

    __tablename__ = "turn_flags"
    __table_args__ = (UniqueConstraint("turn_id", "admin_id"), Index(None, "at"))

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id"))
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(default=utc_now)


class Label(Base):
    """A word that turns can be sorted by. Owners make them; a retired one stays where it was put."""

    __tablename__ = "labels"
    __table_args__ = (UniqueConstraint("folded"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(64))
    # The name without the difference of upper and lower case.
    folded: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    retired_at: Mapped[datetime | None]


class TurnLabel(Base):
    """That an admin put a label on a turn. Each for himself, so that it can be seen whether they agree."""

    __tablename__ = "turn_labels"
    __table_args__ = (UniqueConstraint("turn_id", "label_id", "admin_id"), Index(None, "label_id", "at"))

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    label_id: Mapped[str] = mapped_column(ForeignKey("labels.id"))
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)


class TurnNote(Base):
    """What an admin notes beside a turn."""

    __tablename__ = "turn_notes"
    __table_args__ = (Index(None, "turn_id", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    edited_at: Mapped[datetime | None]


class Correction(Base):
    """What the answer should have been. The one of the greatest id counts; earlier ones are its history.

    An empty text takes the correction back.
    """

    __tablename__ = "corrections"
    __table_args__ = (Index(None, "turn_id", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=utc_now)


class Judgement(Base):
    """An admin's verdict on an answer."""

    __tablename__ = "judgements"
    __table_args__ = (UniqueConstraint("turn_id", "admin_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id"))
    # A word of core.reviewing.Verdict.
    verdict: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(default=utc_now)


class ReviewQueue(Base):
    """A rule that says which turns are to be looked at; its items are the turns that it found."""

    __tablename__ = "review_queues"
    __table_args__ = (UniqueConstraint("folded"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(64))
    folded: Mapped[str] = mapped_column(String(128))
    # A word of core.reviewing.Rule, and what it needs: {"seconds": 30.0}, {"percent": 5.0}, {"label": "<id>"}.
    kind: Mapped[str] = mapped_column(String(16))
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # None: turns of all workspaces.
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    # How many admins judge each turn.
    judges: Mapped[int] = mapped_column(default=1)
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    # What happened before is not looked at.
    since: Mapped[datetime]
    # Up to here the rule was applied.
    filled_until: Mapped[datetime]


class QueueItem(Base):
    """A turn in a queue. Done when as many admins as the queue wants are done with it."""

    __tablename__ = "review_queue_items"
    __table_args__ = (
        UniqueConstraint("queue_id", "turn_id"),
        # For a turn that is erased, and for what is shown beside it.
        Index(None, "turn_id"),
        Index("ix_review_queue_items_open", "queue_id", "id", **partial_index(OPEN_ITEM)),
        Index(None, "queue_id", "done_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    queue_id: Mapped[str] = mapped_column(ForeignKey("review_queues.id", ondelete="CASCADE"))
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    # In words, for whoever looks at it.
    why: Mapped[str] = mapped_column(String(200), default="")
    added_at: Mapped[datetime] = mapped_column(default=utc_now)
    done_at: Mapped[datetime | None]


class QueueClaim(Base):
    """That an admin has an item before him, until a time; or, from `done_at` on, that he is done with it."""

    __tablename__ = "review_queue_claims"

    item_id: Mapped[str] = mapped_column(ForeignKey("review_queue_items.id", ondelete="CASCADE"), primary_key=True)
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id"), primary_key=True)
    until: Mapped[datetime]
    done_at: Mapped[datetime | None]
