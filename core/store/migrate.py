"""Bringing a database to this version's tables, and refusing to work on other ones."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError, OperationalError

from core.errors import ConfigurationError, StoreError
from core.store.database import open_engine, parse_url

log = structlog.get_logger(__name__)

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
# Any number, as long as nothing else in the same PostgreSQL database locks it.
_LOCK = 0x676C696D74
# Alembic keeps the migration in progress in module globals.
_one_at_a_time = threading.Lock()


def upgrade(sql_url: str, *, patience_s: float = 0.0) -> None:
    """Bring the database to the newest tables; makes the SQLite file and its folder if need be.

    Harmless on a current database, and while another process does the same. All or nothing. A PostgreSQL that lets
    nobody in, because it is just starting, is tried again for `patience_s` seconds.

    Raises:
        ConfigurationError: the URL is wrong, or the folder cannot be made.
        StoreError: the database cannot be reached.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return _move(sql_url, command.upgrade, "head")
        except StoreError as error:
            starting = isinstance(error.__cause__, OperationalError) and _sqlite_file(sql_url) is None
            if not starting or time.monotonic() > deadline:
                raise
        log.warning("waiting_for_database", at_most_s=round(deadline - time.monotonic(), 1))
        time.sleep(0.5)


def downgrade(sql_url: str, revision: str) -> None:
    """Go back to an older revision, or to nothing with "base". For tests and for emergencies: it drops data."""
    _move(sql_url, command.downgrade, revision)


def is_current(sql_url: str) -> bool:
    """Whether the database has exactly this version's tables. Changes nothing.

    Raises:
        StoreError: the database cannot be reached.
    """
    file = _sqlite_file(sql_url)
    if file is not None and not file.exists():
        return False
    engine = open_engine(sql_url)
    try:
        with engine.connect() as connection:
            at = MigrationContext.configure(connection).get_current_revision()
        return at == ScriptDirectory.from_config(_config()).get_current_head()
    except DatabaseError as error:
        raise StoreError(f"the database cannot be used: {error.orig}") from error
    finally:
        engine.dispose()


def require_current(sql_url: str) -> None:
    """Refuse to start on tables of another version.

    Raises:
        ConfigurationError: they are; the message says what to run.
        StoreError: the database cannot be reached.
    """
    if not is_current(sql_url):
        raise ConfigurationError("The database has no tables or those of another version. Run: glimt db upgrade")


def _move(sql_url: str, way: Callable[[Config, str], None], revision: str) -> None:
    file = _sqlite_file(sql_url)
    if file is not None:
        _make_folder(file.parent)
    engine = open_engine(sql_url)
    try:
        with _one_at_a_time, engine.begin() as connection:
            _wait_for_other_processes(connection)
            config = _config()
            config.attributes["connection"] = connection
            way(config, revision)
    except DatabaseError as error:
        raise StoreError(f"the database cannot be used: {error.orig}") from error
    finally:
        engine.dispose()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(
            f"The folder {folder} for the database cannot be made ({error.strerror}). "
            "Set GLIMT_DATA_DIR to one that this user may write to."
        ) from error


def _wait_for_other_processes(connection: Connection) -> None:
    # On SQLite the transaction itself holds the write lock from its beginning.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _sqlite_file(sql_url: str) -> Path | None:
    url = parse_url(sql_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
