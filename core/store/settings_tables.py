"""What admins decide in the console, as rows: only ever added to, so that every change can be looked at and undone."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, Id
from core.values import new_id, utc_now


class SettingsVersion(Base):
    """A policy as it was saved once; of each target the highest `version` counts."""

    __tablename__ = "settings_versions"
    # What keeps two admins from overwriting each other: both want to write the same number.
    __table_args__ = (UniqueConstraint("level", "target_id", "version"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    # A word of core.policy.levels.Level.
    level: Mapped[str] = mapped_column(String(16))
    # Id of the workspace or place; empty for the installation. No foreign key: there is no one table.
    target_id: Mapped[str] = mapped_column(Id)
    # 1, 2, 3 …
    version: Mapped[int]
    # See core.policy.document.Policy.
    document: Mapped[dict[str, Any]]
    # Empty for what came from the command line.
    admin_id: Mapped[str] = mapped_column(Id, default="")
    admin_name: Mapped[str] = mapped_column(String(100), default="")
    comment: Mapped[str] = mapped_column(String(300), default="")
    # The version that this one brings back.
    undone_from: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(default=utc_now)
