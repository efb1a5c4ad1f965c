"""What the doctors of all chat platforms share: how a check is told, and what arrived last."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import func, select

from core.settings import Settings
from core.store.database import Store
from core.store.models import InboundEvent
from core.values import Platform


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. With `worry` it works, or nobody can tell, but somebody should look."""

    what: str
    good: bool
    says: str
    worry: bool = False


class Wrong(Exception):
    """The check failed; the text says what to do."""


class Worry(Exception):
    """Nothing is known to be wrong, but the text should be read."""


async def last_event(settings: Settings, platform: Platform) -> str:
    """When the last question of a platform arrived; empty: none has.

    Raises:
        StoreError: the database does not tell.
    """

    def newest() -> str:
        store = Store(settings.sql_url)
        try:
            with store.read() as repositories:
                query = select(func.max(InboundEvent.received_at)).where(InboundEvent.platform == platform)
                at = repositories.session.scalar(query)
        finally:
            store.close()
        return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""

    return await asyncio.to_thread(newest)
