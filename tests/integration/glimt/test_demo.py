"""`glimt demo --once`: a conversation on the terminal, or a clear failure."""

import json
import re
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.process import spawn
from glimt.demo import QUESTIONS, _check
from glimt.page import DemoFailed
from tests.fakes.slack import FakeSlack
from tests.integration.glimt.command import GLIMT, environment, glimt
from tests.processes import PATIENCE_S, until

DEMO = ("demo", "--once", "--model", "scripted:echo")


def test_it_is_the_shipped_model_on_this_machine_whatever_is_configured(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "DATABASE_URL=postgresql://nobody@127.0.0.1:1/people\nGLIMT_MODEL=/somewhere/else\nGLIMT_EYES=/somewhere\n"
        "GLIMT_BACKEND=openai\nGLIMT_BACKEND_URL=http://127.0.0.1:1/v1\nGLIMT_QUANTISATION=nf4\n"
    )
    away = {"REDIS_URL": "redis://127.0.0.1:1/0", "GLIMT_BLOBS_URL": "file:///proc/blobs"}

    demo = glimt(tmp_path, "demo", "--once", GLIMT_WEB_PORT="0", **away)

    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "Loading the model 'demo'" in demo.stdout
    assert str(tmp_path / "data" / "glimt.db") in demo.stdout
    # A scripted model would say the question again, with "[1 picture]" behind it.
    first = demo.stdout.partition(f"You:   {QUESTIONS[0]}\nGlimt: ")[2].splitlines()[0]
    assert first
    assert not first.startswith(QUESTIONS[0])
    (loaded,) = [line for line in (tmp_path / "data" / "worker.log").read_text().splitlines() if "model_loaded" in line]
    assert json.loads(loaded)["quantisation"] == "none"


def test_it_plays_the_conversation_and_ends(tmp_path: Path) -> None:
    with FakeSlack() as slack:
        tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
        demo = glimt(tmp_path, *DEMO, GLIMT_WEB_PORT="0", SLACK_API_URL=slack.api_url, **tokens)

    assert demo.returncode == 0, demo.stdout + demo.stderr
    # It answers in no workspace, whatever tokens there are.
    assert slack.calls == []
    for question in QUESTIONS:
        assert f"You:   {question}\nGlimt: {question}" in demo.stdout
    assert re.search(r"Ready after [\d.]+ s: http://127\.0\.0\.1:\d+/", demo.stdout)
    stored = demo.stdout.partition("Stored in ")[2].splitlines()
    assert str(tmp_path / "data" / "glimt.db") in stored[0]
    assert [line.split()[0] for line in stored[1:]] == ["1.", "2.", "3."]
    # The processes' own logs are in the folder, not between the answers.
    assert demo.stderr == ""
    assert (tmp_path / "data" / "worker.log").stat().st_size > 0
    assert not (tmp_path / "data" / "redis.sock").exists()


def test_it_signs_itself_in_where_keys_were_made(tmp_path: Path) -> None:
    made = glimt(tmp_path, "keys", "create", "--name", "ann")
    demo = glimt(tmp_path, *DEMO, GLIMT_WEB_PORT="0")

    assert (made.returncode, demo.returncode) == (0, 0), demo.stderr
    listed = [line.split("\t")[:2] for line in glimt(tmp_path, "keys", "list").stdout.splitlines()]
    assert listed[0] == ["ann", "active"]
    assert [state for name, state in listed if name.startswith("demo ")] == ["revoked"]


def test_ctrl_c_before_the_end_is_not_a_success(tmp_path: Path) -> None:
    log = tmp_path / "out"
    with log.open("wb") as output:
        env = environment(tmp_path / "data", GLIMT_WEB_PORT="0")
        words = ("demo", "--once", "--model", "scripted:echo?tokens=500&pace=2")
        demo = spawn([*GLIMT, *words], env=env, output=output, cwd=tmp_path)
    until(lambda: "Glimt: word1" in log.read_text(), "the first answer begins")
    demo.send_signal(signal.SIGINT)

    assert demo.wait(PATIENCE_S) == 130
    assert not (tmp_path / "data" / "redis.sock").exists(), "everything is stopped"


def test_an_answer_that_fails_is_a_failure(tmp_path: Path) -> None:
    demo = glimt(
        tmp_path,
        *("demo", "--once", "--model", "scripted:echo?tokens=64&pace=2"),
        GLIMT_WEB_PORT="0",
        GLIMT_TURN_DEADLINE_S="0.5",
    )

    assert demo.returncode == 1
    assert "glimt: The answer failed: The answer took too long." in demo.stderr
    assert "Traceback" not in demo.stderr


def test_an_empty_answer_is_a_failure() -> None:
    with pytest.raises(DemoFailed, match="empty"):
        _check({"error": None, "answer": " \n"})


@pytest.mark.faults
def test_a_worker_that_cannot_start_is_named_with_its_log(tmp_path: Path) -> None:
    model = tmp_path / "bert"
    model.mkdir()
    (model / "config.json").write_text('{"model_type": "bert"}')
    save_file({"weight": torch.zeros(1)}, model / "model.safetensors")

    demo = glimt(tmp_path, "demo", "--once", "--model", str(model), GLIMT_WEB_PORT="0")

    assert demo.returncode == 1
    *_, line = demo.stderr.strip().splitlines()
    assert "did not become ready" in line
    log = tmp_path / "data" / "worker.log"
    assert str(log) in line
    assert "no model for conversations" in until(log.read_text, "the log says why")
