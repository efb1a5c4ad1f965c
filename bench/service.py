"""`glimt bench service`: REST in, tokens out, around a scripted engine, against bare Celery tasks in the same run.

Everything between the socket and the engine is real: HTTP, intake into SQL, Celery over Redis, the worker's lease, the
token stream and the fenced end. The rounds of both sides alternate, so that a noisy machine disturbs both alike.
"""

import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any, TextIO

from redis import Redis

from bench.bare_celery import DONE_KEY, QUEUE, READY_KEY, TASK
from bench.http_load import post_all
from core.errors import ConfigurationError
from core.process import spawn, stop
from core.queue.celery_app import make_celery
from core.queue.embedded import EmbeddedRedis
from core.settings import Settings, load_settings
from core.store.migrate import upgrade
from glimt.ports import free_port
from glimt.up import has_worker, page_answers

ROUNDS = 3
CONCURRENCY = 64
LATENCY_REQUESTS = 300
PEOPLE = 64
MODEL = "scripted:echo"
PATH = "/v1/chat/completions"
START_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class _Service:
    settings: Settings
    env: dict[str, str]
    redis: Redis


def run(settings: Settings, *, turns: int, as_json: bool, out: TextIO) -> None:
    """Measure on `settings.sql_url`'s kind of database (SQLite in a temporary folder by default) and print."""
    with tempfile.TemporaryDirectory(prefix="glimt-bench-") as folder, _service(Path(folder), settings) as service:
        result = _measure(service, turns)
    if as_json:
        out.write(json.dumps(result, indent=2) + "\n")
        return
    for name, value in result.items():
        out.write(f"{name:<28} {value}\n")


def _measure(service: _Service, turns: int) -> dict[str, Any]:
    _turns_per_s(service, PEOPLE)  # warm-up
    bare, whole = [], []
    for _ in range(ROUNDS):
        bare.append(_bare_tasks_per_s(service, turns))
        whole.append(_turns_per_s(service, turns))
    latencies = _latencies_ms(service)
    ratios = [w / b for w, b in zip(whole, bare, strict=True)]
    return {
        "throughput_vs_celery": round(statistics.median(ratios), 3),
        "added_latency_p50_ms": round(statistics.median(latencies), 1),
        "added_latency_p99_ms": round(statistics.quantiles(latencies, n=100)[98], 1),
        "turns_per_s": [round(x) for x in whole],
        "bare_celery_tasks_per_s": [round(x) for x in bare],
        "database": "postgresql" if service.settings.sql_url.startswith("postgresql") else "sqlite",
        "turns_per_round": turns,
        "concurrency": CONCURRENCY,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _bare_tasks_per_s(service: _Service, tasks: int) -> float:
    """One client sends, one worker with the same number of threads runs; from the first send to the last run."""
    celery = make_celery(service.settings)
    with _process([sys.executable, "-m", "bench.bare_celery"], service.env):
        assert service.redis.blpop([READY_KEY], timeout=START_TIMEOUT_S)
        for count in (64, tasks):  # the first batch warms up
            began = time.perf_counter()
            for _ in range(count):
                celery.send_task(TASK, args=(count,), queue=QUEUE, ignore_result=True, retry=False)
            assert service.redis.blpop([DONE_KEY], timeout=START_TIMEOUT_S)
            rate = count / (time.perf_counter() - began)
    return rate


def _turns_per_s(service: _Service, turns: int) -> float:
    bodies = [_question(n) for n in range(turns)]
    began = time.perf_counter()
    replies = asyncio.run(post_all(service.settings.host, service.settings.web_port, PATH, bodies, CONCURRENCY))
    elapsed = time.perf_counter() - began
    for reply in replies:
        assert json.loads(reply.body)["choices"][0]["message"]["content"].startswith("question")
    return turns / elapsed


def _latencies_ms(service: _Service) -> list[float]:
    """From the request to the last token, one at a time, streaming; the scripted engine itself takes no time."""
    bodies = [_question(n) | {"stream": True} for n in range(LATENCY_REQUESTS)]
    replies = asyncio.run(post_all(service.settings.host, service.settings.web_port, PATH, bodies, 1))
    assert all(reply.body.rstrip().endswith(b"[DONE]") for reply in replies)
    return [reply.total_s * 1000 for reply in replies]


def _question(n: int) -> dict[str, Any]:
    return {
        "model": MODEL,
        "user": f"person {n % PEOPLE}",
        "messages": [{"role": "user", "content": f"question {n}"}],
    }


@contextlib.contextmanager
def _service(folder: Path, wanted: Settings) -> Iterator[_Service]:
    port = free_port("127.0.0.1")
    overrides = {"model": MODEL, "data_dir": folder, "host": "127.0.0.1", "web_port": port}
    settings = load_settings(**overrides, database_url=wanted.database_url, redis_url="", log_level="WARNING")
    env = {
        **os.environ,
        "GLIMT_MODEL": settings.model,
        "GLIMT_DATA_DIR": str(folder),
        "GLIMT_HOST": settings.host,
        "GLIMT_WEB_PORT": str(port),
        "GLIMT_LOG_LEVEL": "WARNING",
        "GLIMT_WORKER_SLOTS": str(settings.worker_slots),
    }
    upgrade(settings.sql_url)
    with EmbeddedRedis(settings.embedded_redis_socket, folder / "redis") as server:
        env["REDIS_URL"] = server.url
        redis = server.client()
        with (
            _process([sys.executable, "-m", "glimt", "worker"], env),
            _process([sys.executable, "-m", "glimt", "bots"], env),
        ):
            _wait_until_ready(settings, redis)
            yield _Service(settings, env, redis)


def _wait_until_ready(settings: Settings, redis: Redis) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (page_answers(settings) and has_worker(redis)):
        if time.monotonic() > deadline:
            raise ConfigurationError(f"The service did not start within {START_TIMEOUT_S:.0f} s.")
        time.sleep(0.1)


@contextlib.contextmanager
def _process(args: list[str], env: dict[str, str]) -> Iterator[Popen[bytes]]:
    process = spawn(args, env=env)
    try:
        yield process
    finally:
        stop(process)
