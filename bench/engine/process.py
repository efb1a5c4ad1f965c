"""The outside of a side's process."""

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.engine.workload import Ask, Round, ask_data, round_from
from core.errors import GlimtError

CHECKOUT = Path(__file__).resolve().parents[2]
# Other engines compile when they load, and a slow model's round takes as long as it takes.
PATIENCE_S = 900.0


class SideFailed(GlimtError):
    """A side could not load or answer; the reason is in the message."""


class SideProcess:
    """One side, in a process of its own. It has loaded when the constructor returns.

    `python` runs the module `program` of this checkout; what it writes goes to `log`.

    Raises:
        SideFailed: from the constructor and from `run`; the process is gone then.
    """

    def __init__(
        self, program: str, options: Mapping[str, Any], *, python: Path, env: Mapping[str, str], log: Path
    ) -> None:
        self._program = program
        self._log = log
        with log.open("ab") as output:
            # A session of its own, so that Ctrl-C reaches only us, and so that its children are stopped with it.
            self._process = subprocess.Popen(
                [python, "-m", program, json.dumps(options)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=environment(env),
                cwd=CHECKOUT,
                start_new_session=True,
            )
        try:
            loaded = self._reply()
        except BaseException:
            self.close()
            raise
        self.loaded_s: float = loaded["loaded_s"]
        self.peak_mb: float = loaded["peak_mb"]

    def run(self, asks: Sequence[Ask]) -> Round:
        """Compute a round."""
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(ask_data(asks)).encode() + b"\n")
            stdin.flush()
            reply = self._reply()
        except BaseException as error:
            self.close()
            # Its end of a pipe is closed, or ours, since it failed before.
            if isinstance(error, OSError | ValueError):
                raise SideFailed(f"{self._program} has ended: {self._last_words()}") from None
            raise
        self.peak_mb = reply["peak_mb"]
        return round_from(reply["round"])

    def close(self) -> None:
        """End the process and its children."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        for wait_s, then in ((10.0, signal.SIGTERM), (5.0, signal.SIGKILL), (None, None)):
            try:
                self._process.wait(wait_s)
                break
            except subprocess.TimeoutExpired:
                _signal_group(self._process.pid, then)
        # Children that it left behind.
        _signal_group(self._process.pid, signal.SIGKILL)

    def _reply(self) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(PATIENCE_S):
                raise SideFailed(f"{self._program} said nothing for {PATIENCE_S:.0f} s: {self._last_words()}")
        line = stdout.readline()
        if not line:
            raise SideFailed(f"{self._program} ended: {self._last_words()}")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise SideFailed(f"{self._program}: {reply['error']}")
        return reply

    def _last_words(self) -> str:
        return " | ".join(self._log.read_text(errors="replace").strip().splitlines()[-3:])


def ask_once(program: str, options: Mapping[str, Any], *, log: Path, env: Mapping[str, str] | None = None) -> Any:
    """What the module `program` of this checkout prints as JSON, run in our own environment.

    Raises:
        SideFailed: it ended with an error.
    """
    with log.open("ab") as output:
        done = subprocess.run(
            [sys.executable, "-m", program, json.dumps(options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            env=environment(env or {}),
            cwd=CHECKOUT,
            check=False,
        )
    if done.returncode:
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise SideFailed(f"{program} ended with status {done.returncode}: {' '.join(last)}")
    return json.loads(done.stdout.splitlines()[-1])


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Ours and `more`, with this checkout first on the path."""
    path = os.pathsep.join([str(CHECKOUT), *([more["PYTHONPATH"]] if "PYTHONPATH" in more else [])])
    return {**os.environ, "HF_HUB_OFFLINE": "1", **more, "PYTHONPATH": path}


def _signal_group(pid: int, number: signal.Signals | None) -> None:
    if number is not None:
        try:
            os.killpg(pid, number)
        except (ProcessLookupError, PermissionError):
            return
