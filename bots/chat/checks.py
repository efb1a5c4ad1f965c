"""What the doctors of all chat platforms share: how a check is told, and what arrived last."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import func, select

from core.errors import GlimtError
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


async def made(what: str, check: Callable[[], Awaitable[str]], refused: Callable[[Exception], str | None]) -> Check:
    """What came of a check. `refused`: what to say of an error that the platform's client raised; None: of another."""
    try:
        return Check(what, True, await check())
    except Worry as worry:
        return Check(what, True, str(worry), worry=True)
    except (Wrong, GlimtError) as wrong:
        return Check(what, False, str(wrong))
    except Exception as error:
        if (said := refused(error)) is None:
            raise
        return Check(what, False, said)


def unreachable(url: str, usual: str, setting: str, error: Exception) -> str:
    """What to say where a platform's API does not answer; `usual` is its own address, `setting` names another."""
    own = "" if url == usual else f" Is {setting} right?"
    host = urlsplit(url).hostname
    return f"{host} cannot be reached from here ({type(error).__name__}): network or proxy.{own}"


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
