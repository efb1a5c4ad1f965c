"""The table of tokens by which an admin's programs read what the console exports."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, Id
from core.values import new_id, utc_now


class AdminToken(Base):
    """A token of an admin; only its SHA-256 is stored (it has 256 random bits). Revoked, its row is gone."""

    __tablename__ = "admin_tokens"
    __table_args__ = (UniqueConstraint("admin_id", "name"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
