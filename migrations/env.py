"""Alembic's entry: applies migrations to the connection that `core.store.migrate` hands over.

Called by the alembic command instead (to write a new migration), it opens the database that the settings name.
"""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

import core.store.admin_tables  # adds its tables to `Base`
import core.store.review_tables
import core.store.slack_tables
import core.store.telegram_tables
import core.store.token_tables  # noqa: F401  # as above
from core.settings import load_settings
from core.store.columns import UtcDateTime
from core.store.database import open_engine
from core.store.models import Base
from core.store.words import TABLES as WORDS


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write plain types into migrations: they must not change when the models' own types do."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def migrate(connection: Connection) -> None:
    """Apply what was asked for, within the caller's transaction: SQLite, too, can roll back DDL."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        include_name=lambda name, _kind, _parents: not (name or "").startswith(WORDS),
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    context.run_migrations()


handed_over: Connection | None = context.config.attributes.get("connection")
if handed_over is not None:
    migrate(handed_over)
else:
    engine = open_engine(load_settings().sql_url)
    with engine.begin() as own:
        migrate(own)
    engine.dispose()
