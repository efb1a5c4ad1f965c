"""Tables of what is removed by age: the rules, the conversations that are held, the runs; and who let go of old entries
of the audit log.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, Id, partial_index
from core.values import new_id, utc_now


class RetentionRule(Base):
    """How long something is kept in a workspace, or wherever nothing else is said."""

    __tablename__ = "retention_rules"
    __table_args__ = (
        UniqueConstraint("workspace_id", "what"),
        Index("uq_retention_rules_default", "what", unique=True, **partial_index("workspace_id IS NULL")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    # None: all workspaces that have no rule of their own.
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    # A word of core.retention.rules.What.
    what: Mapped[str] = mapped_column(String(16))
    # None: for ever, whatever holds for the other workspaces.
    days: Mapped[int | None]
    set_by: Mapped[str] = mapped_column(String(100))
    set_at: Mapped[datetime] = mapped_column(default=utc_now)
    # What would have been removed when it was confirmed: core.store.retention.figures.Figures.
    shown: Mapped[dict[str, Any]] = mapped_column(default=dict)


class ConversationHold(Base):
    """A conversation that must be kept, whatever the rules say and whoever wants it erased."""

    __tablename__ = "conversation_holds"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(500))
    held_by: Mapped[str] = mapped_column(String(100))
    held_at: Mapped[datetime] = mapped_column(default=utc_now)


class RetentionRun(Base):
    """One round through everything that has a rule. Whoever holds its lease goes on with it."""

    __tablename__ = "retention_runs"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    # "open" until it is over, so that there is one at a time.
    running: Mapped[str | None] = mapped_column(String(4), unique=True)
    asked_by: Mapped[str] = mapped_column(String(100))
    # What is older than a rule at this moment goes, however long the run takes.
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[datetime | None]
    # Where it has come to: a word of core.retention.rules.What or of core.retention.run, and a place in its list.
    stage: Mapped[str] = mapped_column(String(16), default="")
    cursor: Mapped[str] = mapped_column(String(100), default="")
    # Numbers of what went, by stage: {"turns": {"turns": 3, …}, …}.
    removed: Mapped[dict[str, Any]] = mapped_column(default=dict)


class AuditRemoval(Base):
    """That entries of the audit log may be removed which are older than `before`. Only ever added to, and never with a
    `before` of the last 30 days: triggers of the database see to both, and let no other entry be removed.
    """

    __tablename__ = "audit_removals"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    before: Mapped[datetime]
    # Whose rule it is.
    admin_name: Mapped[str] = mapped_column(String(100))
