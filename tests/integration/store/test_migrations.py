"""One history of tables for both databases."""

import multiprocessing
import os
import re
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

import core.store.admin_tables  # adds its tables to `Base`
import core.store.numbers_tables
import core.store.review_tables
import core.store.settings_tables
import core.store.slack_tables
import core.store.telegram_tables
import core.store.token_tables  # noqa: F401  # as above
from core.errors import ConfigurationError, StoreError
from core.process import spawn, stop
from core.store.database import Store, open_engine
from core.store.migrate import downgrade, is_current, require_current, upgrade
from core.store.models import Base, Workspace
from core.store.words import TABLES as WORDS
from core.values import Platform
from tests.fixtures_db import PostgresServer
from tests.processes import PATIENCE_S, ROOT, until

INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}
DEAD_SERVER = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"


def indexes_of(engine: Engine) -> dict[str, str]:
    """Name → definition with its condition, which Alembic's own comparison does not look at."""
    with engine.connect() as connection:
        rows = connection.execute(text(INDEXES[engine.dialect.name])).all()
    ours = {name: re.sub(r"\s+", " ", sql) for name, sql in rows if name != "alembic_version_pkc"}
    return {name: sql for name, sql in ours.items() if WORDS not in name}


def test_the_migrations_make_what_the_models_say(empty_sql_url: str) -> None:
    upgrade(empty_sql_url)
    engine = open_engine(empty_sql_url)
    with engine.connect() as connection:
        # Each database has its own kind of tables for words; tests/integration/store/test_search.py looks at them.
        opts = {"include_name": lambda name, _kind, _parents: WORDS not in (name or "")}
        assert compare_metadata(MigrationContext.configure(connection, opts=opts), Base.metadata) == []
    migrated = indexes_of(engine)
    downgrade(empty_sql_url, "base")
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
    assert indexes_of(engine) == migrated
    assert "running" in migrated["uq_turns_one_running"]
    engine.dispose()


def test_upgrading_twice_changes_nothing(empty_sql_url: str) -> None:
    upgrade(empty_sql_url)
    store = Store(empty_sql_url)
    with store.write() as repositories:
        kept = repositories.people.workspace(Platform.WEB, "local").id
    upgrade(empty_sql_url)
    with store.read() as repositories:
        assert [workspace.id for workspace in repositories.session.query(Workspace)] == [kept]
    store.close()


def test_downgrading_leaves_nothing_and_upgrading_works_again(empty_sql_url: str) -> None:
    upgrade(empty_sql_url)
    downgrade(empty_sql_url, "base")
    engine = open_engine(empty_sql_url)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    upgrade(empty_sql_url)
    assert is_current(empty_sql_url)


def test_only_the_newest_tables_are_current(empty_sql_url: str) -> None:
    assert not is_current(empty_sql_url)
    with pytest.raises(ConfigurationError, match="glimt db upgrade"):
        require_current(empty_sql_url)
    upgrade(empty_sql_url)
    assert is_current(empty_sql_url)
    require_current(empty_sql_url)
    downgrade(empty_sql_url, "base")
    assert not is_current(empty_sql_url)


def test_asking_about_a_missing_file_does_not_make_it(tmp_path: Path) -> None:
    assert not is_current(f"sqlite:///{tmp_path / 'absent.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_dead_server_is_a_store_error() -> None:
    with pytest.raises(StoreError):
        upgrade(DEAD_SERVER)
    with pytest.raises(StoreError):
        is_current(DEAD_SERVER)


def test_a_server_that_is_just_starting_is_waited_for(postgres_server: PostgresServer, tmp_path: Path) -> None:
    name = postgres_server.create(migrated=False)
    postgres_server.refuse(name)
    env = {**os.environ, "DATABASE_URL": postgres_server.url(name), "PYTHONPATH": str(ROOT)}
    with (tmp_path / "log").open("wb") as output:
        waiting = spawn([sys.executable, "-m", "glimt", "db", "upgrade"], env=env, output=output, cwd=tmp_path)
    try:
        until(lambda: "waiting_for_database" in (tmp_path / "log").read_text(), "it waits")
        postgres_server.admit(name)

        assert waiting.wait(PATIENCE_S) == 0
        assert is_current(postgres_server.url(name))
    finally:
        stop(waiting)
        postgres_server.drop(name)


def test_a_server_that_does_not_start_is_waited_for_only_so_long() -> None:
    with pytest.raises(StoreError, match="Connection refused"):
        upgrade(DEAD_SERVER, patience_s=0.6)


def test_a_file_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "glimt.db").mkdir()
    with pytest.raises(StoreError, match="unable to open"):
        upgrade(f"sqlite:///{tmp_path / 'glimt.db'}", patience_s=3600)


def test_a_folder_that_cannot_be_made_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="GLIMT_DATA_DIR"):
        upgrade(f"sqlite:///{tmp_path / 'file' / 'glimt.db'}")


def test_processes_that_upgrade_at_once_do_not_collide(empty_sql_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    upgraders = [context.Process(target=upgrade, args=(empty_sql_url,)) for _ in range(3)]
    for upgrader in upgraders:
        upgrader.start()
    for upgrader in upgraders:
        upgrader.join(timeout=60)
    assert [upgrader.exitcode for upgrader in upgraders] == [0, 0, 0]
    assert is_current(empty_sql_url)
