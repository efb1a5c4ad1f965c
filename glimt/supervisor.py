"""`glimt up`: every process of the service on one machine, started and stopped in order, restarted when it dies."""

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from types import FrameType

import structlog

from bots.web.reach import check_binding, public_host
from core.errors import ConfigurationError
from core.inference.create import check_model
from core.media.blobs import BlobStore
from core.process import spawn, stop
from core.queue.embedded import EmbeddedRedis
from core.settings import NO_EYES, Settings
from core.store.database import Store
from core.store.migrate import upgrade
from glimt.ports import require_free
from glimt.review import console_installed

log = structlog.get_logger(__name__)

# A process that lived so long starts again at once when it ends; one that dies young waits longer each time.
STABLE_S = 30.0
LONGEST_WAIT_S = 30.0


def _wait_after(failures: int) -> float:
    """Seconds: none after the first one in a row, then longer and longer."""
    return min(2.0 ** min(failures - 1, 10) - 1, LONGEST_WAIT_S)


@dataclass(slots=True)
class _Child:
    name: str
    env: dict[str, str]
    log_path: Path | None
    process: Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    start_again_at: float = 0.0

    def start(self) -> None:
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(self.log_path.open("ab")) if self.log_path is not None else None
            self.process = spawn([sys.executable, "-m", "glimt", self.name], env=self.env, output=output)
        self.started_at = time.monotonic()

    def look_after(self) -> None:
        """Start it again if it died."""
        now = time.monotonic()
        if self.process is not None and (status := self.process.poll()) is not None:
            self.deaths = 1 if now - self.started_at > STABLE_S else self.deaths + 1
            wait = _wait_after(self.deaths)
            log.warning("process_ended", name=self.name, status=status, start_again_in_s=wait)
            self.process, self.start_again_at = None, now + wait
        if self.process is None and now >= self.start_again_at:
            self.start()


@dataclass
class Supervisor:
    """Runs Redis (if none is configured), the migrations, the worker, the bots and, where it is installed, the console
    of one data folder.

    `say` prints one line for the person who started us. `quiet` sends the processes' logs to files in the data folder.
    """

    settings: Settings
    say: Callable[[str], None]
    quiet: bool = False
    redis: EmbeddedRedis | None = None
    children: list[_Child] = field(default_factory=list)
    _redis_failures: int = 0
    _redis_again_at: float = 0.0
    _stopping: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Everything runs inside the block and is stopped after it, whatever happens in it.

        Raises:
            ConfigurationError, ModelLoadError: a setting would keep a process from starting, another `glimt up` has
                the folder, the port is taken, or Redis does not start.
            StoreError: the database cannot be reached.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._signals())
            check_model(self.settings)
            public_host(self.settings)
            BlobStore(self.settings.blob_store_url)
            stack.enter_context(_only_one(self.settings.data_dir))
            require_free(self.settings.host, self.settings.web_port, "GLIMT_WEB_PORT")
            has_console = console_installed()
            if has_console:
                require_free(self.settings.host, self.settings.console_port, "GLIMT_CONSOLE_PORT")
            self.say("Preparing the database")
            upgrade(self.settings.sql_url)
            self._check_keys()
            if not self.settings.redis_url:
                self.say("Starting the embedded Redis")
                folder = self.settings.data_dir.absolute() / "redis"
                self.redis = stack.enter_context(EmbeddedRedis(self.settings.embedded_redis_socket, folder))
            env = self._child_env()
            self.say(
                "Asking the backend for its model"
                if self.settings.backend == "openai"
                else f"Loading the model '{self.settings.model}'"
            )
            for name in ("worker", "bots", *(["console"] if has_console else [])):
                child = _Child(name, env, self._log_path(name))
                self.children.append(child)
                stack.callback(self._stop_child, child)
                child.start()
            yield

    def _check_keys(self) -> None:
        store = Store(self.settings.sql_url, pool_size=1)
        try:
            check_binding(self.settings, store)
        finally:
            store.close()

    def _stop_child(self, child: _Child) -> None:
        if child.process is not None:
            stop(child.process, self.settings.shutdown_grace_s + 15)

    def look_after(self) -> None:
        """Restart what died. Call it every now and then from the main thread (children die with their starter)."""
        if self.redis is not None and self.redis.poll() is not None and time.monotonic() >= self._redis_again_at:
            log.warning("embedded_redis_ended", status=self.redis.poll())
            self._start_redis_again(self.redis)
        for child in self.children:
            child.look_after()

    def _start_redis_again(self, redis: EmbeddedRedis) -> None:
        try:
            redis.start()
            self._redis_failures = 0
        except (ConfigurationError, OSError) as error:
            # Questions wait in SQL meanwhile, and the page stays.
            self._redis_failures += 1
            wait = _wait_after(self._redis_failures)
            log.error("embedded_redis_not_started", error=str(error), start_again_in_s=wait)
            self._redis_again_at = time.monotonic() + wait

    def wait_until(self, ready: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Look after everything until `ready`.

        Raises:
            ConfigurationError: not within `timeout_s` seconds, or a process keeps dying; its log is named.
        """
        deadline = time.monotonic() + timeout_s
        while not ready():
            time.sleep(0.05)
            self.look_after()
            if time.monotonic() > deadline or any(child.deaths >= 3 for child in self.children):
                logs = ", ".join(str(c.log_path) for c in self.children if c.log_path is not None) or "see above"
                raise ConfigurationError(f"{what} did not become ready. Logs: {logs}")

    def serve(self) -> None:
        """Look after everything until Ctrl-C or SIGTERM, which are the orderly end of serving."""
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(0.2)
                self.look_after()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def ask_to_stop(_: int, __: FrameType | None) -> None:
            # Only the first one unwinds; the others must not break into the orderly stop that it began.
            if not self._stopping.is_set():
                self._stopping.set()
                raise KeyboardInterrupt

        before = {s: signal.signal(s, ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _child_env(self) -> dict[str, str]:
        settings = self.settings
        env = dict(os.environ)
        env |= {
            # All of them whole, since an empty one would let the children read `.env` where we do not want to.
            "GLIMT_DATA_DIR": str(settings.data_dir.absolute()),
            "DATABASE_URL": settings.sql_url,
            "REDIS_URL": settings.queue_url,
            "GLIMT_BLOBS_URL": settings.blob_store_url,
            "GLIMT_BACKEND": settings.backend,
            "GLIMT_MODEL": settings.model,
            "GLIMT_EYES": settings.eyes or NO_EYES,
            "GLIMT_QUANTISATION": settings.quantisation,
            "GLIMT_SLACK_TRANSPORT": settings.slack_transport,
            "GLIMT_TELEGRAM_TRANSPORT": settings.telegram_transport,
            "GLIMT_HOST": settings.host,
            "GLIMT_WEB_PORT": str(settings.web_port),
            "GLIMT_CONSOLE_PORT": str(settings.console_port),
            # A worker or page must not pile up behind a terminal that nobody reads.
            "PYTHONUNBUFFERED": "1",
        }
        return env

    def _log_path(self, name: str) -> Path | None:
        return self.settings.data_dir.absolute() / f"{name}.log" if self.quiet else None


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Make the folder and hold it for ourselves.

    Raises:
        ConfigurationError: it cannot be made or written to, or somebody else holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        opened = (folder / "lock").open("a+")
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be written to ({error.strerror}). Set GLIMT_DATA_DIR to a folder of your own."
        ) from error
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise ConfigurationError(
                f"Glimt already runs on {folder} (process {lock.read().strip() or 'unknown'}). "
                "Stop it, or set GLIMT_DATA_DIR to another folder."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
