"""The two commands before anything is installed: what they say when something is missing, and when they do nothing.

The virtual environment is stood in for by a recording executable: a real installation takes minutes and is what
`.ci/run` does each time.
"""

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.deploy.files import ROOT

# Records the arguments of `-m pip install`; fails for those that a file named `broken` beside it holds.
RECORDER = """#!/bin/sh
here=$(dirname "$0")
case "$*" in
  *"pip install"*)
    echo "$*" >> "$here/calls"
    [ ! -e "$here/broken" ] || case "$*" in *"$(cat "$here/broken")") exit 1 ;; esac ;;
esac
"""


class Checkout:
    """A copy of what `requirements/install.sh` reads, with a recording interpreter as its virtual environment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "requirements").mkdir(parents=True)
        for name in ("requirements/install.sh", "requirements/torch.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, root / name)
        (root / "requirements/lock.txt").write_text("one==1 --hash=sha256:00\n")
        self.bin = root / ".venv/bin"
        self.bin.mkdir(parents=True)
        (root / ".venv/pyvenv.cfg").touch()
        (self.bin / "python").write_text(RECORDER)
        (self.bin / "python").chmod(0o755)

    def install(self, **variables: str) -> list[str]:
        """Run the script; the pip calls that it made, without what they have in common."""
        calls = self.bin / "calls"
        calls.unlink(missing_ok=True)
        env = {k: v for k, v in os.environ.items() if k not in ("TORCH", "VENV", "PYTHON")}
        self.last = subprocess.run(
            ["requirements/install.sh"], cwd=self.root, env=env | variables, capture_output=True, text=True
        )
        if not calls.exists():
            return []
        common = "-m pip install --disable-pip-version-check --no-input "
        return [line.removeprefix(common) for line in calls.read_text().splitlines()]


@pytest.fixture(params=["plain", "with a space"])
def checkout(tmp_path: Path, request: pytest.FixtureRequest) -> Checkout:
    return Checkout(tmp_path / request.param)


PACKAGES = "--require-hashes --no-deps -r requirements/lock.txt"
TORCH = "-r requirements/torch.txt"
EDITABLE = "--quiet --no-deps --no-build-isolation --config-settings editable_mode=compat -e ."


def test_a_warm_call_does_nothing_and_says_nothing(checkout: Checkout) -> None:
    assert checkout.install() == [TORCH, PACKAGES, EDITABLE]
    assert checkout.last.returncode == 0
    assert checkout.install() == []
    assert (checkout.last.returncode, checkout.last.stdout, checkout.last.stderr) == (0, "", "")


def test_a_changed_lock_is_installed(checkout: Checkout) -> None:
    checkout.install()
    (checkout.root / "requirements/lock.txt").write_text("one==2 --hash=sha256:00\n")
    assert checkout.install() == [PACKAGES]


def test_ones_own_torch_is_installed_once_and_remembered(checkout: Checkout) -> None:
    own = "torch==2.13.0 --index-url https://example.org/own"
    checkout.install()
    assert checkout.install(TORCH=own) == [own, PACKAGES]
    assert checkout.install() == []
    (checkout.root / "requirements/torch.txt").write_text("torch==2.14.0\n")
    assert checkout.install()[0] == own
    assert checkout.install(TORCH=TORCH) == [TORCH, PACKAGES]


@pytest.mark.parametrize("step", [0, 1, 2])
def test_an_interrupted_step_is_laid_anew_and_no_other(checkout: Checkout, step: int) -> None:
    steps = [TORCH, PACKAGES, EDITABLE]
    (checkout.bin / "broken").write_text(steps[step])
    assert checkout.install() == steps[: step + 1]
    assert checkout.last.returncode != 0
    (checkout.bin / "broken").unlink()
    assert checkout.install() == [f"--ignore-installed {steps[step]}", *steps[step + 1 :]]
    assert "which was interrupted" in checkout.last.stdout
    assert checkout.install() == []


def test_going_back_to_the_lock_before_an_interruption_installs_it(checkout: Checkout) -> None:
    lock = checkout.root / "requirements/lock.txt"
    before = lock.read_text()
    checkout.install()
    lock.write_text("one==2 --hash=sha256:00\n")
    (checkout.bin / "broken").write_text(PACKAGES)
    checkout.install()
    (checkout.bin / "broken").unlink()
    lock.write_text(before)
    assert checkout.install() == [f"--ignore-installed {PACKAGES}"]


def make(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k not in ("TORCH", "VENV", "PYTHON", "MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(["make", *words], cwd=ROOT, env=env | variables, capture_output=True, text=True)


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Lines on stderr that are not make's own."""
    assert done.returncode != 0
    return [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]


def test_bare_make_explains_every_target() -> None:
    targets = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    listed = re.findall(r"^  make ([a-z-]+) +\S", make().stdout, re.MULTILINE)
    assert listed == targets
    assert {"demo", "test", "lint", "lock"} <= set(targets)


def test_what_the_default_run_leaves_out_is_run_by_another_target() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["addopts"]
    assert options[-2:] == ["-m", "not load"]
    (command,) = [line for line in make("-n", "test-faults").stdout.splitlines() if "pytest" in line]
    # Of all folders: the longest test is one of the store's.
    assert shlex.split(command.partition("-m pytest")[2]) == ["-m", "faults or load"]


@pytest.mark.parametrize("target", ["demo", "test"])
def test_no_python(target: str, tmp_path: Path) -> None:
    (line,) = said(make(target, f"VENV={tmp_path / 'venv'}", "PYTHON=python-that-is-not-here"))
    assert line.startswith("glimt: there is no python-that-is-not-here here.")
    assert "make PYTHON=" in line


def test_an_old_python(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\ncase "$1" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac\n')
    old.chmod(0o755)
    (line,) = said(make("demo", f"VENV={tmp_path / 'venv'}", f"PYTHON={old}"))
    assert "is Python 3.9.2; 3.11 or newer is needed" in line


def test_a_python_without_venv(tmp_path: Path) -> None:
    bare = tmp_path / "python3"
    bare.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\n')
    bare.chmod(0o755)
    (line,) = said(make("demo", f"VENV={tmp_path / 'venv'}", f"PYTHON={bare}"))
    assert "sudo apt-get install python3-venv" in line


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("keep me")
    (line,) = said(make("demo", f"VENV={tmp_path}"))
    assert "is no virtual environment" in line
    assert letter.read_text() == "keep me"
