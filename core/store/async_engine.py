"""An asynchronous engine, for libraries that bring a store of their own and await it (Bolt's installations). What is
ours goes through `Store` (docs/adr/0002)."""

from functools import partial
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from core.errors import ConfigurationError
from core.store.database import LOCK_WAIT_S, POSTGRESQL, begin_sqlite, parse_url, prepare_postgresql, prepare_sqlite

# Few people install an app at once.
CONNECTIONS = 2


def open_async_engine(sql_url: str, *, lock_wait_s: float = LOCK_WAIT_S) -> AsyncEngine:
    """An engine on the same database, with the same settings, as `open_engine`. With the execution option
    `database.READ_ONLY` it takes no write lock.

    Raises:
        ConfigurationError: the URL names something else than SQLite or PostgreSQL with psycopg 3.
    """
    url = parse_url(sql_url)
    common: dict[str, Any] = {"pool_size": CONNECTIONS, "max_overflow": CONNECTIONS, "hide_parameters": True}
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        sqlite = url.set(drivername="sqlite+aiosqlite")
        engine = create_async_engine(sqlite, connect_args={"timeout": lock_wait_s}, **common)
        event.listen(engine.sync_engine, "connect", prepare_sqlite)
        event.listen(engine.sync_engine, "begin", begin_sqlite)
        return engine
    if url.drivername == "postgresql+psycopg":
        engine = create_async_engine(url, pool_pre_ping=True, connect_args=POSTGRESQL, **common)
        event.listen(engine.sync_engine, "connect", partial(prepare_postgresql, lock_wait_s=lock_wait_s))
        return engine
    raise ConfigurationError(f"DATABASE_URL: {url.drivername} is not supported; use sqlite or postgresql")
