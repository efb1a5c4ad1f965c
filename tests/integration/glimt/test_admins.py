"""`glimt admins` as whoever runs Glimt types it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.glimt.command import environment, glimt

PASSWORD = "correct horse battery staple\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One installation, in which the tests go on from each other's admins."""
    made = tmp_path_factory.mktemp("admins")
    assert create(made, "--name", "olga").returncode == 0
    return made


def create(folder: Path, *words: str, said: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    """`glimt admins create` with a password on its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "glimt", "admins", "create", *words],
        env=environment(folder / "data"),
        cwd=folder,
        input=said,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_admin_is_made_and_listed_without_the_password(folder: Path) -> None:
    made = create(folder, "--name", "rui", "--role", "reviewer", "--email", "Rui@Example.org")
    assert (made.returncode, made.stdout) == (0, "")
    assert "rui may sign in as reviewer" in made.stderr
    assert PASSWORD.strip() not in made.stderr
    listed = glimt(folder, "admins", "list").stdout.splitlines()
    assert listed == [
        "olga\towner\tactive\t-\tlast signed in never",
        "rui\treviewer\tactive\trui@example.org\tlast signed in never",
    ]


def test_without_a_password_nothing_is_made(folder: Path) -> None:
    refused = create(folder, "--name", "x", said="")
    assert refused.returncode == 1
    (line,) = refused.stderr.strip().splitlines()
    assert "--no-password" in line


def test_a_link_is_printed_alone_and_the_last_owner_stays(folder: Path) -> None:
    link = glimt(folder, "admins", "link", "olga")
    assert link.stdout.startswith("http://127.0.0.1:")
    assert "/link/" in link.stdout
    assert len(link.stdout.splitlines()) == 1
    last = glimt(folder, "admins", "disable", "olga")
    assert last.returncode == 1
    assert "last owner" in last.stderr


def test_without_its_packages_everything_says_what_to_install(folder: Path) -> None:
    missing = glimt(folder, "console", without="argon2 authlib")
    assert missing.returncode == 1
    assert "pip install 'glimt[console]'" in missing.stderr
