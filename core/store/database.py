"""The door to SQL: one `Store` for each process, one short transaction for each block.

with store.write() as repositories:
    repositories.turns.make_ready(turn_id, now)
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    DBAPIError,
    DisconnectionError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from core.errors import ConfigurationError, StoreError
from core.store.admin_sessions import AdminSessionRepository
from core.store.admin_tokens import AdminTokenRepository
from core.store.admins import AdminRepository
from core.store.attachments import AttachmentRepository
from core.store.audit import AuditRepository
from core.store.conversations import ConversationRepository
from core.store.deliveries import DeliveryRepository
from core.store.erasures import ErasureRepository
from core.store.feedback import FeedbackRepository
from core.store.inbound import InboundRepository
from core.store.keys import KeyRepository
from core.store.numbers.reading import NumbersRepository
from core.store.numbers.rollup import RollupRepository
from core.store.people import PeopleRepository
from core.store.personal import PersonalRepository
from core.store.places import PlaceRepository
from core.store.quotas import QuotaRepository
from core.store.retention import RetentionRepository
from core.store.review import ReviewRepository
from core.store.review.scope import ReadScope
from core.store.reviewing import ReviewingRepository
from core.store.reviewing.labels import LabelRepository
from core.store.reviewing.queues import QueueRepository
from core.store.settings import SettingsRepository
from core.store.takeovers import TakeoverRepository
from core.store.telegram import TelegramRepository
from core.store.telegram_approvals import ApprovalRepository
from core.store.turns import TurnRepository
from core.store.usage import UsageRepository
from core.store.web_sessions import WebSessionRepository
from core.store.words import index_words
from core.store.writer_lock import WriterLock

log = structlog.get_logger(__name__)

LOCK_WAIT_S = 10.0
READ_ONLY = "glimt_read_only"
# libpq's words, seconds but for the last. A connection whose other end went away without a word (a fail-over, a
# forgetful NAT) is given up after some ten seconds; with the defaults of Linux a thread waits in it for hours.
POSTGRESQL: dict[str, str | int] = {
    "application_name": "glimt",
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# What the database says when it is gone, locked, out of connections, or read-only as after a fail-over (an
# InternalError of PostgreSQL's); everything else is a mistake of ours.
_UNAVAILABLE = (OperationalError, InterfaceError, InternalError, DisconnectionError, PoolTimeoutError)


class Repositories:
    """All repositories of one transaction. They and their session end with the block; the rows stay readable."""

    __slots__ = (
        "admin_sessions",
        "admin_tokens",
        "admins",
        "approvals",
        "attachments",
        "audit",
        "conversations",
        "deliveries",
        "erasures",
        "feedback",
        "inbound",
        "keys",
        "labels",
        "people",
        "personal",
        "places",
        "queues",
        "quotas",
        "retention",
        "rollup",
        "session",
        "settings",
        "takeovers",
        "telegram",
        "turns",
        "usage",
        "web_sessions",
    )

    def __init__(self, session: Session) -> None:
        self.session = session
        self.turns = TurnRepository(session)
        self.conversations = ConversationRepository(session)
        self.people = PeopleRepository(session)
        self.personal = PersonalRepository(session)
        self.places = PlaceRepository(session)
        self.attachments = AttachmentRepository(session)
        self.inbound = InboundRepository(session)
        self.deliveries = DeliveryRepository(session)
        self.erasures = ErasureRepository(session)
        self.feedback = FeedbackRepository(session)
        self.takeovers = TakeoverRepository(session)
        self.telegram = TelegramRepository(session)
        self.approvals = ApprovalRepository(session)
        self.usage = UsageRepository(session)
        self.keys = KeyRepository(session)
        self.web_sessions = WebSessionRepository(session)
        self.admins = AdminRepository(session)
        self.admin_sessions = AdminSessionRepository(session)
        self.admin_tokens = AdminTokenRepository(session)
        self.audit = AuditRepository(session)
        self.labels = LabelRepository(session)
        self.queues = QueueRepository(session)
        self.settings = SettingsRepository(session)
        self.quotas = QuotaRepository(session)
        self.retention = RetentionRepository(session)
        self.rollup = RollupRepository(session)

    def review(self, scope: ReadScope) -> ReviewRepository:
        """What the console reads, as far as `scope` allows."""
        return ReviewRepository(self.session, scope)

    def reviewing(self, scope: ReadScope, admin_id: str) -> ReviewingRepository:
        """What this admin writes while he reviews, as far as `scope` allows."""
        return ReviewingRepository(self.session, scope, admin_id)

    def numbers(self, scope: ReadScope) -> NumbersRepository:
        """What the overview shows, as far as `scope` allows."""
        return NumbersRepository(self.session, scope)


class Store:
    """Connections to one SQLite file or one PostgreSQL database. Thread-safe; not to be carried over a fork.

    `sql_url` is SQLAlchemy's. `pool_size` is the number of connections that are kept; as many more may be opened
    for a moment. `lock_wait_s`: how long a writer waits for another one before it gives up with a retryable error.

    Raises:
        ConfigurationError: the URL names another kind of database, or SQLite in memory.
    """

    def __init__(self, sql_url: str, *, pool_size: int = 20, lock_wait_s: float = LOCK_WAIT_S) -> None:
        self._engine = open_engine(sql_url, pool_size=pool_size, lock_wait_s=lock_wait_s)
        self._lock_wait_s = lock_wait_s
        self._reading = self._engine.execution_options(**{READ_ONLY: True})
        self._thread = threading.local()
        self._write_lock: WriterLock | None = None
        if self._engine.dialect.name == "sqlite":
            # SQLite has one writer at a time and lets the others poll; threads of one process queue up here instead.
            self._write_lock = WriterLock()
        else:
            # One snapshot for the whole block, as SQLite has it anyway.
            self._reading = self._reading.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def write(self, *, urgent: bool = False) -> Iterator[Repositories]:
        """One transaction: committed at the end of the block, rolled back if the block raises.

        `urgent`: a platform waits for it. On SQLite it goes before the other writers of this process.

        Raises:
            RuntimeError: this thread is in a `write` block already; the inner one would wait for the outer one.
            StoreError: the database is gone or locked; nothing was written (or, if the connection broke during the
                commit, nobody knows: every operation is safe to repeat).
        """
        with unavailable_is_store_error(), self._one_writer(urgent):
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                yield Repositories(session)

    @contextmanager
    def read(self) -> Iterator[Repositories]:
        """One consistent view, without a write lock. Writing in it is refused by the database.

        Raises:
            StoreError: the database is gone.
        """
        with unavailable_is_store_error(), Session(self._reading, expire_on_commit=False) as session:
            yield Repositories(session)

    @property
    def one_writer(self) -> bool:
        """Whether only one transaction can write at a time."""
        return self._write_lock is not None

    def check(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StoreError: it gives none.
        """
        with self.read() as repositories:
            repositories.session.execute(text("SELECT 1"))

    def settle(self) -> None:
        """Have SQLite write its log into the file and empty it, so that what was erased stands in neither.

        Where somebody reads or writes at this moment, the log stays until the next time. PostgreSQL does it by itself,
        when it vacuums.

        Raises:
            StoreError: the database is gone.
        """
        if self._write_lock is None:
            return
        with unavailable_is_store_error():
            pooled = self._engine.raw_connection()
            try:
                pooled.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
            except sqlite3.OperationalError as error:
                log.debug("log_not_emptied", error=str(error))
            finally:
                pooled.close()

    def close(self) -> None:
        """Close the connections that nobody is using."""
        self._engine.dispose()

    @contextmanager
    def _one_writer(self, urgent: bool) -> Iterator[None]:
        if getattr(self._thread, "writes", False):
            raise RuntimeError("a write block inside a write block")
        lock = self._write_lock
        if lock is not None and not lock.acquire(self._lock_wait_s, urgent=urgent):
            raise StoreError("another thread holds the SQLite write lock")
        self._thread.writes = True
        try:
            yield
        finally:
            self._thread.writes = False
            if lock is not None:
                lock.release()


def parse_url(sql_url: str) -> URL:
    """The parts of a database URL.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        return make_url(sql_url)
    except (SQLAlchemyError, ValueError):  # A port that is no number is only a ValueError.
        raise ConfigurationError(
            "DATABASE_URL is no address such as postgresql://glimt:PASSWORD@localhost:5432/glimt"
        ) from None


def open_engine(sql_url: str, *, pool_size: int = 5, lock_wait_s: float = LOCK_WAIT_S) -> Engine:
    """An engine with the settings that Glimt relies on; SQLite or PostgreSQL with psycopg 3.

    Raises:
        ConfigurationError: the URL names something else.
    """
    url = parse_url(sql_url)
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        if url.database in (None, "", ":memory:"):
            raise ConfigurationError("DATABASE_URL: SQLite in memory cannot be shared between processes; name a file")
        engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            hide_parameters=True,
            connect_args={"timeout": lock_wait_s},
        )
        event.listen(engine, "connect", prepare_sqlite)
        event.listen(engine, "begin", begin_sqlite)
        return engine
    if url.drivername == "postgresql+psycopg":
        engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            # An error that is logged must not show questions and answers.
            hide_parameters=True,
            connect_args=POSTGRESQL,
        )
        event.listen(engine, "connect", partial(prepare_postgresql, lock_wait_s=lock_wait_s))
        return engine
    raise ConfigurationError(f"DATABASE_URL: {url.drivername} is not supported; use sqlite or postgresql")


def prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """For each new connection."""
    # The driver must not open transactions by itself: `begin_sqlite` decides which kind.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What was erased is overwritten, not just given free.
    connection.execute("PRAGMA secure_delete = ON")
    # The triggers that keep what is searched for (migrations/versions/0010_search.py) call it.
    connection.create_function("glimt_words", 1, index_words, deterministic=True)


def begin_sqlite(connection: Connection) -> None:
    """For each new transaction."""
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    # A transaction that begins by reading and then writes can fail at once, without the busy timeout, so writers
    # take the lock first: https://www.sqlite.org/lang_transaction.html
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if read_only else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def prepare_postgresql(connection: Any, _record: object, *, lock_wait_s: float) -> None:
    """For each new connection."""
    connection.autocommit = True
    connection.execute(f"SET lock_timeout = {int(lock_wait_s * 1000)}")
    connection.autocommit = False


@contextmanager
def unavailable_is_store_error() -> Iterator[None]:
    """What is raised because the database is away, locked or broken becomes a `StoreError`."""
    try:
        yield
    except (DBAPIError, DisconnectionError, PoolTimeoutError) as error:
        # Whatever a statement ran into when its connection broke under it, it is the connection that failed.
        broken = isinstance(error, DBAPIError) and error.connection_invalidated
        if not broken and not isinstance(error, _UNAVAILABLE):
            raise
        raise StoreError(f"{type(error).__name__}: {getattr(error, 'orig', None) or error}") from error
