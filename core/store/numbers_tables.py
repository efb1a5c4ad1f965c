"""Tables of the overview's numbers: what was counted of each day that is over, and what has to be counted again.

Nothing here says what anybody said. The days are those of one time zone, which is written down beside them.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base, Id


class NumbersZone(Base):
    """The time zone whose days are counted; one row."""

    __tablename__ = "numbers_zone"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    zone: Mapped[str] = mapped_column(String(64))


class NumbersDay(Base):
    """That a day was counted. `version` grows each time, and fences off who began before another one had finished."""

    __tablename__ = "numbers_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    zone: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    counted_at: Mapped[datetime]


class NumbersDaily(Base):
    """What was asked on one day, with what came of it until it was counted last.

    Each turn is in two rows: in one of its place and in one of its whole workspace, so that long periods are read from
    few rows. Latencies are histograms of answered turns: see `core.store.numbers.histogram`.
    """

    __tablename__ = "numbers_daily"

    whole: Mapped[bool] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    # Of turns that were erased since: cannot be counted again, only added to. Always of a whole workspace.
    kept: Mapped[bool] = mapped_column(primary_key=True, default=False)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    # Empty: no place, or the whole workspace.
    place_id: Mapped[str] = mapped_column(Id, primary_key=True, default="")
    # Empty: no model has answered (yet).
    model: Mapped[str] = mapped_column(String(255), primary_key=True, default="")

    questions: Mapped[int] = mapped_column(default=0)
    answered: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    handed_over: Mapped[int] = mapped_column(default=0)
    good: Mapped[int] = mapped_column(default=0)
    bad: Mapped[int] = mapped_column(default=0)
    # Of all attempts.
    prompt_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    picture_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cached_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    completion_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    engine_s: Mapped[float] = mapped_column(default=0.0)
    # From ready to started, from question to first text, from question to the end.
    queue: Mapped[dict[str, Any]] = mapped_column(default=dict)
    first: Mapped[dict[str, Any]] = mapped_column(default=dict)
    total: Mapped[dict[str, Any]] = mapped_column(default=dict)


class NumbersPerson(Base):
    """Who asked on one day, and how much; gone when the person is erased."""

    __tablename__ = "numbers_people"
    __table_args__ = (Index(None, "person_id"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    # Before the person, so that the people of a workspace are counted from the index alone.
    workspace_id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    place_id: Mapped[str] = mapped_column(Id, primary_key=True, default="")
    model: Mapped[str] = mapped_column(String(255), primary_key=True, default="")
    questions: Mapped[int] = mapped_column(default=0)
    answered: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    completion_tokens: Mapped[int] = mapped_column(BigInteger, default=0)


class NumbersStale(Base):
    """Something about turns asked in this quarter of an hour changed late. Triggers write it (migration 0017)."""

    __tablename__ = "numbers_stale"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # The beginning of the quarter of an hour: every time zone's days begin with one.
    at: Mapped[datetime]
