"""Child processes end when they are told to, and with their parent."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from core.process import spawn, stop
from tests.processes import until

PYTHON = sys.executable
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
PARENT = """
import sys, time
from core.process import spawn
print(spawn([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
time.sleep(600)
"""


def test_a_child_that_obeys_is_asked_only() -> None:
    assert stop(spawn([PYTHON, "-c", "import time; time.sleep(600)"])) == -signal.SIGTERM


def test_a_child_that_does_not_is_killed() -> None:
    read, write = os.pipe()
    with os.fdopen(read, "rb") as reader, os.fdopen(write, "wb") as writer:
        child = spawn([PYTHON, "-c", STUBBORN], output=writer)
        assert reader.readline() == b"1\n"

        assert stop(child, 0.05) == -signal.SIGKILL


def test_a_child_that_has_ended_keeps_its_status() -> None:
    child = spawn([PYTHON, "-c", "raise SystemExit(3)"])
    child.wait()

    assert stop(child) == 3


def test_ctrl_c_at_the_terminal_does_not_reach_it() -> None:
    child = spawn([PYTHON, "-c", "import time; time.sleep(600)"])

    assert os.getpgid(child.pid) != os.getpgid(0)
    stop(child)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_a_child_ends_with_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen([PYTHON, "-c", PARENT], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()

    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE, "it ends")
