"""Transactions, and what happens when the database does not play along."""

import sqlite3
import threading
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from core.errors import ConfigurationError, StoreError
from core.store.database import Store
from core.store.models import Conversation, Workspace
from core.values import Platform
from tests.integration.store.scene import NOW, Scene


def workspaces(store: Store) -> list[str]:
    with store.read() as repositories:
        return [workspace.external_id for workspace in repositories.session.query(Workspace)]


def test_a_block_is_committed_at_its_end(store: Store) -> None:
    with store.write() as repositories:
        repositories.people.workspace(Platform.WEB, "local")
        assert workspaces(store) == []
    assert workspaces(store) == ["local"]


def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    def half_done() -> None:
        with store.write() as repositories:
            repositories.people.workspace(Platform.WEB, "local")
            raise KeyError("on the way")

    with pytest.raises(KeyError):
        half_done()
    assert workspaces(store) == []
    with store.write() as repositories:
        repositories.people.workspace(Platform.WEB, "next")
    assert workspaces(store) == ["next"]


def test_blocks_that_write_are_not_nested(store: Store) -> None:
    with pytest.raises(RuntimeError, match="inside a write block"):
        with store.write(), store.write():
            pass
    with store.write() as repositories:
        repositories.people.workspace(Platform.WEB, "local")
    assert workspaces(store) == ["local"]


def test_rows_stay_readable_after_the_block(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread(), "Where is it?")
    with scene.store.read() as repositories:
        turn = repositories.turns.get(turn_id)
    assert turn is not None
    assert turn.question == "Where is it?"
    assert turn.created_at == NOW
    assert turn.attachments == []


def test_a_read_block_sees_one_moment(store: Store) -> None:
    with store.read() as repositories:
        assert repositories.session.query(Workspace).count() == 0
        with store.write() as others:
            others.people.workspace(Platform.WEB, "local")
        assert repositories.session.query(Workspace).count() == 0
    assert workspaces(store) == ["local"]


def test_a_read_block_cannot_write(store: Store) -> None:
    def write_in_it() -> None:
        with store.read() as repositories:
            repositories.people.workspace(Platform.WEB, "local")

    with pytest.raises((StoreError, DBAPIError), match=r"(?i)read.?only"):
        write_in_it()
    assert workspaces(store) == []
    with store.write() as repositories:
        repositories.people.workspace(Platform.WEB, "local")
    assert workspaces(store) == ["local"]


def test_naive_times_are_refused(scene: Scene) -> None:
    thread, person = scene.thread(), scene.person()
    with pytest.raises(StatementError, match="naive"):
        with scene.store.write() as repositories:
            repositories.turns.add(thread, person, "?", now=datetime(2026, 1, 1))


def test_rows_of_nobody_are_refused(store: Store) -> None:
    with pytest.raises(IntegrityError):
        with store.write() as repositories:
            repositories.session.add(Conversation(workspace_id="no", person_id="no", external_id="x"))


def test_many_threads_write_without_losing_anything(scene: Scene) -> None:
    thread = scene.thread()
    person = scene.person()

    def add() -> None:
        for _ in range(10):
            with scene.store.write() as repositories:
                repositories.turns.add(thread, person, "?", now=NOW)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with scene.store.read() as repositories:
        assert [turn.seq for turn in repositories.turns.of_conversation(thread)] == list(range(1, 81))


def test_check_answers(store: Store) -> None:
    store.check()


def test_a_gone_file_is_a_retryable_store_error(sqlite_url: str) -> None:
    lost = Store(sqlite_url.replace("glimt.db", "no such folder/glimt.db"))
    with pytest.raises(StoreError) as caught:
        lost.check()
    assert caught.value.retryable
    lost.close()


def test_a_dead_server_is_a_retryable_store_error() -> None:
    dead = Store("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(StoreError) as caught:
        dead.check()
    assert caught.value.retryable
    dead.close()


def test_a_lock_held_by_another_process_is_a_store_error(sqlite_url: str) -> None:
    store = Store(sqlite_url, lock_wait_s=0.05)
    store.check()
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        with store.write() as repositories:
            repositories.people.workspace(Platform.WEB, "local")
    store.check()
    other.execute("COMMIT")
    with store.write() as repositories:
        repositories.people.workspace(Platform.WEB, "local")
    assert workspaces(store) == ["local"]
    other.close()
    store.close()


def test_a_row_locked_by_another_process_is_a_store_error(postgresql_url: str) -> None:
    holder, store = Store(postgresql_url), Store(postgresql_url, lock_wait_s=0.05)
    turn_id = Scene(holder).ask(Scene(holder).thread())
    with holder.write() as repositories:
        assert repositories.turns.claim(turn_id, "first", NOW, NOW) is not None
        with pytest.raises(StoreError, match="lock timeout"):
            Scene(store).claim(turn_id, "second")
    assert Scene(store).turn(turn_id).lease_owner == "first"
    holder.close()
    store.close()


def test_cut_connections_are_a_store_error_once_and_then_replaced(postgresql_url: str) -> None:
    store = Store(postgresql_url)
    killer = Store(postgresql_url)

    def cut_in_the_middle() -> None:
        with store.write() as repositories:
            repositories.people.workspace(Platform.WEB, "lost")
            own = repositories.session.scalar(text("SELECT pg_backend_pid()"))
            with killer.write() as others:
                others.session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own})
            repositories.people.workspace(Platform.WEB, "too late")

    with pytest.raises(StoreError):
        cut_in_the_middle()
    assert workspaces(store) == []
    # An idle connection that was cut is noticed before it is used.
    with store.read() as repositories:
        own = repositories.session.scalar(text("SELECT pg_backend_pid()"))
    with killer.write() as others:
        others.session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own})
    store.check()
    store.close()
    killer.close()


def test_a_server_that_became_read_only_is_a_retryable_store_error(postgresql_url: str) -> None:
    """As the old server is after a fail-over."""
    administrator, store = Store(postgresql_url), Store(postgresql_url)
    with administrator.write() as repositories:
        name = repositories.session.scalar(text("SELECT current_database()"))
        repositories.session.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    with pytest.raises(StoreError, match="read-only") as caught:
        with store.write() as repositories:
            repositories.people.workspace(Platform.WEB, "local")
    assert caught.value.retryable
    store.check()
    store.close()
    administrator.close()


@pytest.mark.parametrize(("broken", "expected"), [(True, StoreError), (False, DBAPIError)])
def test_whatever_a_statement_says_of_a_broken_connection_is_a_store_error(
    store: Store, broken: bool, expected: type[Exception]
) -> None:
    with pytest.raises(expected, match="nonsense"):
        with store.write():
            raise DBAPIError("SELECT 1", {}, ValueError("nonsense"), connection_invalidated=broken)
    store.check()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://host/base",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql+asyncpg://host/base",
        "no url at all",
        "postgresql://h:x/b",
    ],
)
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        Store(url)


def test_postgresql_notices_a_server_that_went_away_without_a_word(postgresql_url: str) -> None:
    store = Store(postgresql_url)
    with store.read() as repositories:
        connection: Any = repositories.session.connection().connection.driver_connection
        asked = connection.info.get_parameters()
    store.close()
    assert asked["connect_timeout"] == "10"
    assert (asked["keepalives_idle"], asked["keepalives_interval"], asked["keepalives_count"]) == ("5", "2", "3")
    assert asked["tcp_user_timeout"] == "10000"


def test_sqlite_keeps_the_settings_that_the_queue_relies_on(sqlite_store: Store) -> None:
    with sqlite_store.write() as repositories:
        ask = repositories.session.connection().exec_driver_sql
        assert ask("PRAGMA journal_mode").scalar() == "wal"
        assert ask("PRAGMA synchronous").scalar() == 1
        assert ask("PRAGMA foreign_keys").scalar() == 1
        assert ask("PRAGMA busy_timeout").scalar() == 10_000
