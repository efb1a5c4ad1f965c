"""Connections of business accounts to a Telegram bot: through each of them it reads and answers its owner's chats.
And updates that become no turn, until somebody has dealt with them.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.base import Base
from core.values import utc_now


class TelegramBusiness(Base):
    """A connection as Telegram told of it last. Ids are Telegram's."""

    __tablename__ = "telegram_business"

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    bot_id: Mapped[str] = mapped_column(String(32))
    owner_id: Mapped[int] = mapped_column(BigInteger, index=True)
    # The private chat of the owner and the bot.
    owner_chat_id: Mapped[int] = mapped_column(BigInteger)
    # The language that Telegram tells of the owner.
    owner_locale: Mapped[str] = mapped_column(String(16), default="")
    can_reply: Mapped[bool]
    enabled: Mapped[bool]
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)


class TelegramUpdate(Base):
    """An update that was acknowledged and is still to be dealt with: a press of a button, a reaction."""

    __tablename__ = "telegram_updates"

    bot_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    body: Mapped[dict[str, Any]]
    taken_at: Mapped[datetime] = mapped_column(default=utc_now)
