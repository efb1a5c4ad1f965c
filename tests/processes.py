"""Real processes for tests: Redis, workers and bots, started and ended by the test that needs them."""

import json
import os
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import TypeVar

from redis import Redis
from redis.exceptions import RedisError

from core.process import spawn, stop
from core.queue.embedded import EmbeddedRedis
from core.queue.presence import list_workers
from core.settings import Settings, load_settings
from core.store.database import Store
from core.store.migrate import upgrade
from glimt.ports import free_port

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 90.0
# Fast enough for tests to see a recovery, slow enough for two busy cores.
FAST = {
    "GLIMT_LEASE_S": "3",
    "GLIMT_HEARTBEAT_S": "0.5",
    "GLIMT_SWEEP_S": "0.3",
    "GLIMT_RETRY_BASE_S": "0.1",
    "GLIMT_REDISPATCH_S": "3",
    "GLIMT_SHUTDOWN_GRACE_S": "2",
}


def python_path() -> str:
    """Where processes find this checkout, and whatever the developer has set beside it."""
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))


def of_an_installation(name: str) -> bool:
    """Whether an environment variable tells a process of Glimt where its database, its model and so on are."""
    ours = name.startswith(("GLIMT_", "SLACK_", "TELEGRAM_", "DATABASE_", "REDIS_"))
    return ours and name not in ("GLIMT_TEST_CHROMIUM", "GLIMT_REQUIRE_BROWSER")


def until(look: Callable[[], T], what: str, timeout_s: float = PATIENCE_S) -> T:
    """Look again and again, for things in other processes that send no event; the first true value."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while not (value := look()):
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        pause.wait(0.02)
    return value


@dataclass
class Installation:
    """One data folder with its own Redis and database, and whatever processes the test starts on it."""

    settings: Settings
    env: dict[str, str]
    redis_server: EmbeddedRedis
    store: Store
    redis: Redis
    folder: Path
    processes: list[Popen[bytes]] = field(default_factory=list)

    def start(self, name: str, **env: str) -> Popen[bytes]:
        """`glimt NAME` as a process of its own; its log is NAME-N.log in the folder."""
        log = self.folder / f"{name}-{len(self.processes)}.log"
        with log.open("wb") as output:
            # In the folder and not in the checkout, which may hold a .env of its developer.
            args = [sys.executable, "-m", "glimt", name]
            process = spawn(args, env={**self.env, **env}, output=output, cwd=self.folder)
        self.processes.append(process)
        return process

    def start_worker(self, **env: str) -> Popen[bytes]:
        """A worker that has loaded its model and takes turns."""
        before = self.workers()
        process = self.start("worker", **env)
        until(lambda: self._alive(process) and self.workers() - before, "the worker announces itself")
        return process

    def start_bots(self, **env: str) -> str:
        """A bots process; the address of its page without a slash at the end."""
        process = self.start("bots", **env)
        url = f"http://{self.settings.host}:{self.settings.web_port}"
        until(lambda: self._alive(process) and _answers(url), "the page answers")
        return url

    def start_console(self, **env: str) -> str:
        """A console process; its address without a slash at the end."""
        process = self.start("console", **env)
        url = f"http://{self.settings.host}:{self.settings.console_port}"
        until(lambda: self._alive(process) and _answers(url), "the console answers")
        return url

    def workers(self) -> set[str]:
        """Owners of the workers that are there."""
        try:
            return {worker.owner for worker in list_workers(self.redis)}
        except RedisError:
            return set()

    def _alive(self, process: Popen[bytes]) -> bool:
        if process.poll() is not None:
            logs = "\n".join(f"--- {p.name}\n{p.read_text()[-4000:]}" for p in sorted(self.folder.glob("*.log")))
            raise AssertionError(f"a process ended with {process.returncode}\n{logs}")
        return True


@contextmanager
def installation(
    folder: Path, *, sql_url: str = "", model: str = "scripted:echo", **env: str
) -> Iterator[Installation]:
    """An installation with a running Redis and a migrated database; every process ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = {"GLIMT_DATA_DIR": str(folder), "GLIMT_MODEL": model, "DATABASE_URL": sql_url, **FAST, **env}
    for port in ("GLIMT_WEB_PORT", "GLIMT_CONSOLE_PORT"):
        chosen.setdefault(port, str(free_port("127.0.0.1")))
    overrides = {k.removeprefix("GLIMT_").lower(): v for k, v in chosen.items() if v}
    settings = load_settings(_env_file=None, redis_url="", **overrides)
    server = EmbeddedRedis(settings.embedded_redis_socket, folder / "redis")
    with server:
        upgrade(settings.sql_url)
        made = Installation(
            settings=settings,
            env={
                **os.environ,
                **chosen,
                "REDIS_URL": server.url,
                "PYTHONUNBUFFERED": "1",
                "PYTHONPATH": python_path(),
            },
            redis_server=server,
            store=Store(settings.sql_url),
            redis=Redis.from_url(server.url),
            folder=folder,
        )
        try:
            yield made
        finally:
            for process in reversed(made.processes):
                stop(process, 20.0)
            made.redis.close()
            made.store.close()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url + "/healthz", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def post_json(url: str, body: object, headers: dict[str, str] | None = None) -> dict[str, object]:
    """POST JSON, read JSON; for the few tests that need no real client."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
        answer: dict[str, object] = json.load(response)
        return answer
