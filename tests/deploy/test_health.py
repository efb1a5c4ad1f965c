"""The worker container's health check, as the container runs it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.queue.embedded import EmbeddedRedis
from core.queue.presence import WorkerPresence, announce_presence, withdraw_presence
from tests.deploy.files import ROOT

OWNER = f"{socket.gethostname()[:24]}:1:cafe"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(tmp_path / "s", tmp_path) as server:
        yield server


def check(server: EmbeddedRedis) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"REDIS_URL": server.url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "worker.health"]
    return subprocess.run(command, cwd=server.folder, env=env, capture_output=True, text=True)


def announce(server: EmbeddedRedis, owner: str) -> None:
    with server.client() as redis:
        announce_presence(redis, WorkerPresence(owner, "demo", slots=1, running=0))


def test_a_worker_of_this_host_that_lives_is_healthy_until_it_withdraws(server: EmbeddedRedis) -> None:
    announce(server, OWNER)
    done = check(server)
    assert (done.returncode, done.stderr) == (0, "")
    with server.client() as redis:
        withdraw_presence(redis, OWNER)
    assert check(server).returncode == 1


def test_a_worker_of_another_host_does_not_count(server: EmbeddedRedis) -> None:
    announce(server, "elsewhere:1:cafe")
    done = check(server)
    assert done.returncode == 1
    assert "may still be loading" in done.stderr


def test_redis_away_is_a_fault_in_one_line(server: EmbeddedRedis) -> None:
    server.stop()
    done = check(server)
    assert done.returncode == 1
    assert done.stderr.startswith("Redis cannot be reached")
    assert len(done.stderr.splitlines()) == 1
