"""`glimt up` as its operator sees it: it serves, mends itself, and leaves nothing behind."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from core.store.database import Store
from tests.integration.glimt.command import Up, alive, glimt, kill, up
from tests.processes import until

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def service() -> Iterator[Up]:
    """One installation that the tests of this file break and find mended."""
    with TemporaryDirectory(prefix="glimt-up-") as folder, up(Path(folder)) as running:
        yield running


def test_it_says_where_the_page_is_and_answers_there(service: Up) -> None:
    assert f"Ready: {service.url}/" in service.output
    assert service.answers("What is it?") == "What is it?"
    assert set(service.children()) == {"redis", "worker", "bots", "console"}
    assert (service.folder / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["worker", "bots", "redis"])
def test_whoever_dies_is_started_again_and_questions_are_answered(service: Up, name: str) -> None:
    victim = service.children()[name]
    kill(victim)
    until(lambda: not alive([victim]), "it dies")
    until(lambda: (again := service.children().get(name)) is not None and again.pid != victim.pid, "it comes back")

    assert until(lambda: service.answers(f"Without {name}?"), "an answer") == f"Without {name}?"


def test_a_second_one_on_the_same_folder_is_told_in_one_sentence(service: Up) -> None:
    second = glimt(service.folder, "up")

    assert second.returncode == 1
    assert second.stdout == ""
    (line,) = second.stderr.strip().splitlines()
    assert f"already runs on {service.folder / 'data'} (process {service.process.pid})" in line
    assert "GLIMT_DATA_DIR" in line
    assert service.answers("Still there?") == "Still there?"


def test_a_taken_port_is_explained_in_one_sentence_before_anything_starts(service: Up, tmp_path: Path) -> None:
    second = glimt(tmp_path, "up", GLIMT_WEB_PORT=str(service.port))

    assert second.returncode == 1
    (line,) = second.stderr.strip().splitlines()
    assert f"127.0.0.1:{service.port}" in line
    assert "GLIMT_WEB_PORT=" in line
    assert not (tmp_path / "data" / "redis").exists()


@pytest.mark.parametrize("command", ["up", "demo"])
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"GLIMT_HOST": "0.0.0.0"}, "glimt keys create --name NAME"),
        ({"GLIMT_PUBLIC_URL": "https://glimt.example.org"}, "glimt keys create --name NAME"),
        ({"GLIMT_PUBLIC_URL": "glimt.example.org"}, "GLIMT_PUBLIC_URL must be an address"),
    ],
)
def test_what_would_keep_the_bots_from_starting_is_said_at_once(
    tmp_path: Path, command: str, wrong: dict[str, str], says: str
) -> None:
    refused = glimt(tmp_path, command, GLIMT_WEB_PORT="0", **wrong)

    assert refused.returncode == 1
    *_, line = refused.stderr.splitlines()
    assert says in line
    assert "process_ended" not in refused.stderr
    assert not (tmp_path / "data" / "redis").exists(), "nothing was started"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"GLIMT_BLOBS_URL": "foo://bucket"}, "GLIMT_BLOBS_URL: nothing is known of foo://"),
        ({"GLIMT_MODEL": "scripted:zzz"}, "the only script"),
        ({"GLIMT_MODEL": "/nowhere"}, "GLIMT_MODEL='/nowhere' is no preset"),
    ],
)
def test_what_would_keep_the_worker_from_starting_is_said_at_once(
    tmp_path: Path, wrong: dict[str, str], says: str
) -> None:
    refused = glimt(tmp_path, "up", GLIMT_WEB_PORT="0", **wrong)

    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert says in line
    assert not (tmp_path / "data").exists(), "nothing was started"


def test_the_logs_show_neither_migrations_nor_celerys_warning_of_root(service: Up) -> None:
    assert "alembic" not in service.output
    assert "superuser" not in service.output
    assert "Traceback" not in service.output


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_stop_every_process(tmp_path: Path, how: signal.Signals) -> None:
    with up(_short(tmp_path)) as running:
        assert running.answers("one") == "one"
        started = running.everything()
        assert len(started) >= 3
        running.process.send_signal(how)

        assert running.process.wait(60) == 0
        assert alive(started) == []
        assert "Traceback" not in running.output
        assert "process_ended" not in running.output
    store = Store(f"sqlite:///{running.folder / 'data' / 'glimt.db'}")
    with store.read() as repositories:
        assert repositories.turns.counts_open("") == (0, 0)
    store.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_kill_9_of_the_supervisor_leaves_no_process_behind(tmp_path: Path) -> None:
    with up(_short(tmp_path)) as running:
        started = running.everything()
        running.process.kill()
        running.process.wait()

        until(lambda: not alive(started), "all of them end")
    with up(running.folder) as again:
        assert again.answers("And again?") == "And again?"


def _short(tmp_path: Path) -> Path:
    return tmp_path / "up"
