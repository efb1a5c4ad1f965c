"""What people's names are found by in the console."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base


class NamePair(Base):
    """Two characters that follow each other in somebody's name, in lower case. Triggers keep them."""

    __tablename__ = "name_pairs"
    __table_args__ = {"sqlite_with_rowid": False}

    pair: Mapped[str] = mapped_column(String(2), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, index=True)
