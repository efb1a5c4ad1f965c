"""The `glimt` command as a user types it."""

import os
import signal
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from core.process import spawn, stop
from glimt.ports import free_port
from tests.processes import PATIENCE_S, post_json, python_path, until

GLIMT = (sys.executable, "-m", "glimt")
# The same where some packages are not installed: Python finds none under a name that leads to None.
WITHOUT = "import sys; sys.modules.update(dict.fromkeys(sys.argv.pop(1).split())); from glimt.cli import app; app()"


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """What a shell hands on, with settings of the test's own alone."""
    chosen = {
        "GLIMT_DATA_DIR": str(folder),
        "GLIMT_MODEL": "scripted:echo",
        "GLIMT_SHUTDOWN_GRACE_S": "2",
        # Some free one: other installations are tested at the same time.
        "GLIMT_CONSOLE_PORT": "0",
        # From anywhere: the checkout may hold a .env of its developer.
        "PYTHONPATH": python_path(),
    }
    return {**os.environ, **chosen, **settings}


def glimt(folder: Path, *words: str, without: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, as if the packages `without` (by name, between blanks) were not installed."""
    folder.mkdir(parents=True, exist_ok=True)
    program = (sys.executable, "-c", WITHOUT, without) if without else GLIMT
    return subprocess.run(
        [*program, *words],
        env=environment(folder / "data", **settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@dataclass
class Up:
    """A running `glimt up`."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """Everything that it and its processes have printed."""
        return (self.folder / "up.log").read_text()

    def children(self) -> dict[str, psutil.Process]:
        """Its direct children: redis, worker, bots, console."""
        found = {}
        for child in alive(psutil.Process(self.process.pid).children()):
            # It may end, or not have begun to be itself, in this moment.
            with suppress(psutil.NoSuchProcess):
                found["redis" if "valkey" in child.exe() else child.cmdline()[-1]] = child
        return found

    def everything(self) -> list[psutil.Process]:
        """All processes that it started, and what those started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def answers(self, question: str) -> str | None:
        """The answer to a question, None if none can be had now."""
        body = {"model": "scripted:echo", "messages": [{"role": "user", "content": question}]}
        try:
            answer: Any = post_json(f"{self.url}/v1/chat/completions", body)
        except (urllib.error.URLError, OSError):
            return None
        return str(answer["choices"][0]["message"]["content"])


@contextmanager
def up(folder: Path, **settings: str) -> Iterator[Up]:
    """`glimt up`, ready to be asked, with its output in up.log."""
    port = free_port("127.0.0.1")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "up.log").open("wb") as output:
        env = environment(folder / "data", GLIMT_WEB_PORT=str(port), **settings)
        process = spawn([*GLIMT, "up"], env=env, output=output, cwd=folder)
    running = Up(process, folder, port)
    try:
        until(lambda: "Ready: " in running.output or process.poll() is not None, "it is ready")
        assert process.poll() is None, running.output
        yield running
    finally:
        stop(process, 30.0)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; one that nobody has waited for yet does not."""
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def kill(process: psutil.Process) -> None:
    """End a process the hard way."""
    process.send_signal(signal.SIGKILL)
