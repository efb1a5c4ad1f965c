"""Tables of the review console: who may sign in, what they may read, their sessions, and what they did."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, Id, partial_index
from core.values import new_id, utc_now


class Admin(Base):
    """Somebody who may sign in to the console: with a password, over OpenID Connect, or both."""

    __tablename__ = "admins"
    __table_args__ = (
        Index("uq_admins_email", "email", unique=True, **partial_index("email <> ''")),
        Index("uq_admins_subject", "issuer", "subject", unique=True, **partial_index("subject <> ''")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    # In lower case; lets in whoever the provider says has this address, the first time.
    email: Mapped[str] = mapped_column(String(255), default="")
    # A word of core.admins.Role.
    role: Mapped[str] = mapped_column(String(16))
    # May read every workspace; else what `Grant` rows name.
    everywhere: Mapped[bool] = mapped_column(default=False)
    # Argon2; empty: no password.
    password_hash: Mapped[str] = mapped_column(String(255), default="")
    # Who this is at the provider, from the first sign-in on.
    issuer: Mapped[str] = mapped_column(String(255), default="")
    subject: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    disabled_at: Mapped[datetime | None]
    signed_in_at: Mapped[datetime | None]


class Grant(Base):
    """That an admin may read a workspace, or one place of it."""

    __tablename__ = "admin_grants"
    __table_args__ = (UniqueConstraint("admin_id", "workspace_id", "place_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    # None: the whole workspace.
    place_id: Mapped[str | None] = mapped_column(ForeignKey("places.id", ondelete="CASCADE"))


class AdminSession(Base):
    """A browser that is signed in to the console; only the SHA-256 of its cookie is stored."""

    __tablename__ = "admin_sessions"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"), index=True)
    # How: password, link or oidc.
    method: Mapped[str] = mapped_column(String(16))
    # What the browser calls itself, for whoever looks which session is which.
    browser: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]


class SignInLink(Base):
    """A link that signs an admin in, once; only the SHA-256 of its secret is stored."""

    __tablename__ = "admin_links"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]


class PendingSignIn(Base):
    """A browser that was sent to the provider: what must come back with it, once."""

    __tablename__ = "admin_pending"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    expires_at: Mapped[datetime]


class AuditEntry(Base):
    """That an admin did, read or searched something. The database itself refuses to change a row, and to delete one
    past `AuditRemoval`.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "admin_name", "id"),
        Index(None, "action", "id"),
        Index("ix_audit_log_conversation", "conversation_id", "id", **partial_index("conversation_id <> ''")),
        Index("ix_audit_log_person", "person_id", "id", **partial_index("person_id <> ''")),
    )

    # Grows with time, so the log is read by it.
    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    # No foreign keys: the entry stays when what it is about is gone. Empty where nobody was signed in.
    admin_id: Mapped[str] = mapped_column(Id, default="")
    admin_name: Mapped[str] = mapped_column(String(100), default="")
    # A word of core.admins.Action.
    action: Mapped[str] = mapped_column(String(32))
    # What it is about, if it is about one.
    conversation_id: Mapped[str] = mapped_column(Id, default="")
    person_id: Mapped[str] = mapped_column(Id, default="", server_default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    address: Mapped[str] = mapped_column(String(64), default="")
