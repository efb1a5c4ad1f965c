"""Starting child processes that never outlive us."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1


def _die_with(parent: int) -> None:
    # Linux only: the kernel sends SIGTERM to the child when the thread that started it ends, even by kill -9.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        # It ended before the kernel was asked.
        os._exit(1)


def spawn(
    args: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    output: IO[bytes] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `args` in a session of its own, so that Ctrl-C reaches only us and we decide the order of stopping.

    Call it from a thread that lives as long as the child should (the main thread): on Linux the child ends with it.
    """
    return subprocess.Popen(
        [os.fspath(a) for a in args],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        env=dict(env) if env is not None else None,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=partial(_die_with, os.getpid()) if sys.platform == "linux" else None,
    )


def stop(process: subprocess.Popen[bytes], grace_s: float = 10.0) -> int:
    """SIGTERM, then SIGKILL after `grace_s` seconds; the exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()
