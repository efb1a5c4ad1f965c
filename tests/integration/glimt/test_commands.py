"""The short commands: what they print where, and what they say when something is wrong."""

import os
import stat
from pathlib import Path

import pytest

from core.errors import PromptTooLong
from core.media.blobs import BlobStore
from core.store.database import Store
from core.store.migrate import is_current
from serving.secrets import hash_secret
from tests.integration.glimt.command import glimt


def test_db_upgrade_makes_a_database_that_only_we_can_enter(tmp_path: Path) -> None:
    upgraded = glimt(tmp_path, "db", "upgrade")

    assert (upgraded.returncode, upgraded.stdout, upgraded.stderr) == (0, "", "")
    assert is_current(f"sqlite:///{tmp_path / 'data' / 'glimt.db'}")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_keys_create_prints_the_key_alone(tmp_path: Path) -> None:
    made = glimt(tmp_path, "keys", "create", "--name", "ci")

    assert made.returncode == 0, made.stderr
    assert made.stderr == ""
    (key,) = made.stdout.splitlines()
    assert key.startswith("glimt_")
    store = Store(f"sqlite:///{tmp_path / 'data' / 'glimt.db'}")
    with store.read() as repositories:
        (row,) = repositories.keys.list()
    store.close()
    assert (row.name, row.key_hash) == ("ci", hash_secret(key))

    again = glimt(tmp_path, "keys", "create", "--name", "ci")

    assert (again.returncode, again.stdout) == (1, "")
    assert "'ci'" in again.stderr


@pytest.mark.parametrize(
    "words", [("bots",), ("worker",), ("keys", "list"), ("keys", "revoke", "--name", "x"), ("blobs", "sweep")]
)
def test_without_tables_it_says_what_to_run_and_makes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = glimt(tmp_path, *words)

    assert refused.returncode == 1
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert line.endswith("Run: glimt db upgrade")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("words", "wrong", "says"),
    [
        (("doctor",), {"REDIS_URL": "foo://geheim"}, "REDIS_URL"),
        (("bots",), {"REDIS_URL": "foo://geheim"}, "REDIS_URL"),
        (("doctor",), {"GLIMT_DEVICE": "gpu"}, "GLIMT_DEVICE"),
        (("db", "upgrade"), {"DATABASE_URL": "postgresql://geheim@h:notaport/x"}, "DATABASE_URL"),
        (("keys", "list"), {"DATABASE_URL": "postgresql://geheim@h:notaport/x"}, "DATABASE_URL"),
        (("db", "upgrade"), {"GLIMT_DATA_DIR": "/proc/x"}, "Set GLIMT_DATA_DIR"),
        (("keys", "create", "--name", "x"), {"GLIMT_DATA_DIR": "/proc/x"}, "Set GLIMT_DATA_DIR"),
        (("up",), {"GLIMT_DATA_DIR": "/proc/x"}, "Set GLIMT_DATA_DIR"),
        (("up",), {"GLIMT_HOST": "no such host", "GLIMT_WEB_PORT": "0"}, "GLIMT_HOST"),
    ],
)
def test_a_mistyped_setting_is_a_sentence(
    tmp_path: Path, words: tuple[str, ...], wrong: dict[str, str], says: str
) -> None:
    refused = glimt(tmp_path, *words, **wrong)

    assert refused.returncode == 1
    assert says in refused.stderr
    assert refused.stderr.startswith("glimt: ")
    assert "Traceback" not in refused.stderr
    assert "geheim" not in refused.stderr + refused.stdout


@pytest.mark.parametrize(
    ("words", "without", "model"),
    [
        (("ask", "hello"), "torch transformers", "demo"),
        (("worker",), "torch", "demo"),
        (("worker",), "worker", "scripted:echo"),
        (("demo",), "torch", "demo"),
        (("up",), "torch", "demo"),
    ],
)
def test_an_installation_without_a_worker_says_how_to_get_one(
    tmp_path: Path, words: tuple[str, ...], without: str, model: str
) -> None:
    glimt(tmp_path, "db", "upgrade")
    refused = glimt(tmp_path, *words, without=without, GLIMT_MODEL=model)

    assert refused.returncode == 1
    *_, line = refused.stderr.splitlines()
    assert line.startswith("glimt: This installation has no worker")
    assert "pip install 'glimt[worker]'" in line
    assert without.split()[0] in line


@pytest.mark.parametrize(
    ("words", "without", "remedy"),
    [
        (("bots",), "fastapi", "glimt[web]"),
        (("up",), "bots", "glimt[web]"),
        (("bench", "service"), "bench", "checkout"),
    ],
)
def test_other_parts_that_are_missing_are_named(
    tmp_path: Path, words: tuple[str, ...], without: str, remedy: str
) -> None:
    refused = glimt(tmp_path, *words, without=without)

    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith("glimt: This installation has no ")
    assert remedy in line


def test_asking_with_a_picture_alone_is_told_that_the_question_is_missing(tmp_path: Path) -> None:
    picture = tmp_path / "photo.png"
    picture.write_bytes(b"")

    refused = glimt(tmp_path, "ask", str(picture))

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f'glimt: The question is missing: glimt ask {picture} "What is this?"\n'
    assert glimt(tmp_path, "ask", "photo.png?").stdout == "photo.png?\n"
    assert glimt(tmp_path, "ask", "x" * 5000).stdout == "x" * 5000 + "\n"


def test_a_question_that_does_not_fit_is_told_so_in_words_and_numbers(tmp_path: Path) -> None:
    refused = glimt(tmp_path, "ask", "x " * 9000)

    assert refused.returncode == 1
    *_, line = refused.stderr.splitlines()
    assert line == f"glimt: {PromptTooLong.user_message} (9002 tokens of 8192)"


def test_blobs_sweep_removes_what_no_conversation_has(tmp_path: Path) -> None:
    assert glimt(tmp_path, "db", "upgrade").returncode == 0
    blobs = BlobStore(f"file://{tmp_path / 'data' / 'blobs'}")
    old, new = blobs.put(b"old"), blobs.put(b"new")
    os.utime(tmp_path / "data" / "blobs" / old[:2] / old[2:4] / old, (0, 0))

    swept = glimt(tmp_path, "blobs", "sweep")

    assert (swept.returncode, swept.stdout) == (0, "1 removed\n"), swept.stderr
    assert list(blobs.keys()) == [new]


def test_wrong_settings_are_listed_one_a_line_without_their_values(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GLIMT_LEASE_S=geheim-lease\nGLIMT_WEB_PROT=geheim-port\nPOSTGRES_PASSWORD=x\n")

    refused = glimt(tmp_path, "db", "upgrade", GLIMT_LOG_LEVEL="geheim-level", GLIMT_REDIS_URL="redis://geheim-url")

    assert refused.returncode == 1
    assert refused.stdout == ""
    head, *lines = refused.stderr.splitlines()
    assert head == "glimt: Wrong settings:"
    assert sorted(line.split(":")[0].strip() for line in lines) == [
        "GLIMT_LEASE_S",
        "GLIMT_LOG_LEVEL",
        "GLIMT_REDIS_URL",
        "GLIMT_WEB_PROT",
    ]
    assert "did you mean GLIMT_WEB_PORT?" in refused.stderr
    assert "did you mean REDIS_URL?" in refused.stderr
    assert "geheim" not in refused.stderr
    assert not (tmp_path / "data").exists()
