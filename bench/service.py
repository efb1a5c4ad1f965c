"""`glimt bench service`: REST in, tokens out, around a scripted engine, against bare Celery tasks in the same run.

Everything between the socket and the engine is real: HTTP, intake into SQL, Celery over Redis, the worker's lease, the
token stream and the fenced end. The rounds of both sides alternate, so that a noisy machine disturbs both alike.

The worker answers whatever waits in its database, so it never gets the one that is configured: people's questions would
be answered with their own words.
"""

import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any, TextIO

from redis import Redis
from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError

from bench.bare_celery import DONE_KEY, QUEUE, READY_KEY, TASK
from bench.http_load import post_all
from core.errors import ConfigurationError, StoreError
from core.process import spawn, stop
from core.queue.celery_app import make_celery
from core.queue.embedded import EmbeddedRedis
from core.settings import Settings, load_settings
from core.store.database import open_engine
from core.store.migrate import downgrade, upgrade
from glimt.ports import free_port
from glimt.up import answers, has_worker

ROUNDS = 3
CONCURRENCY = 64
LATENCY_REQUESTS = 300
PEOPLE = 64
MODEL = "scripted:echo"
PATH = "/v1/chat/completions"
START_TIMEOUT_S = 120.0
LOG = "processes.log"
CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class _Service:
    """`folder` is where the processes run and write their logs; no `.env` is there to be read."""

    settings: Settings
    env: dict[str, str]
    redis: Redis
    folder: Path


def run(settings: Settings, *, turns: int, as_json: bool, out: TextIO, database_url: str = "") -> None:
    """Measure and print. Of `settings` only the number of slots counts.

    Works on SQLite in a temporary folder, or on the empty database of `database_url`, which is empty again afterwards.

    Raises:
        ConfigurationError: that database is not empty, or the service did not start.
        StoreError: it cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="glimt-bench-") as name:
        folder = Path(name)
        own = load_settings(
            _env_file=None,
            backend="transformers",
            model=MODEL,
            data_dir=folder,
            database_url=database_url,
            redis_url="",
            blobs_url="",
            host="127.0.0.1",
            web_port=free_port("127.0.0.1"),
            public_url="",
            worker_slots=settings.worker_slots,
            log_level="WARNING",
        )
        with _tables(own.sql_url), _service(folder, own) as service:
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
    with _process(service, "-m", "bench.bare_celery"):
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
def _tables(sql_url: str) -> Iterator[None]:
    """Our tables in an empty database; it is empty again afterwards."""
    engine = open_engine(sql_url)
    try:
        # What an earlier measurement leaves behind.
        found = set(inspect(engine).get_table_names()) - {"alembic_version"}
    except OperationalError as error:
        raise StoreError(f"the database cannot be used: {error.orig}") from error
    finally:
        engine.dispose()
    if found:
        raise ConfigurationError(
            "The database is not empty. A measurement answers every turn that it finds there and removes all tables at "
            "its end: make a database for it alone, for example with: createdb glimt_bench"
        )
    upgrade(sql_url)
    try:
        yield
    finally:
        downgrade(sql_url, "base")


@contextlib.contextmanager
def _service(folder: Path, settings: Settings) -> Iterator[_Service]:
    env = {
        **os.environ,
        "GLIMT_BACKEND": settings.backend,
        "GLIMT_MODEL": settings.model,
        "GLIMT_DATA_DIR": str(folder),
        "DATABASE_URL": settings.sql_url,
        "REDIS_URL": settings.queue_url,
        "GLIMT_BLOBS_URL": settings.blob_store_url,
        "GLIMT_HOST": settings.host,
        "GLIMT_PUBLIC_URL": "",
        "GLIMT_SLACK_TRANSPORT": "off",
        "GLIMT_WEB_PORT": str(settings.web_port),
        "GLIMT_LOG_LEVEL": "WARNING",
        "GLIMT_WORKER_SLOTS": str(settings.worker_slots),
        "PYTHONPATH": str(CHECKOUT),
    }
    with EmbeddedRedis(settings.embedded_redis_socket, folder / "redis") as server:
        service = _Service(settings, env, server.client(), folder)
        with _process(service, "-m", "glimt", "worker") as worker, _process(service, "-m", "glimt", "bots") as bots:
            _wait_until_ready(service, [worker, bots])
            yield service


def _wait_until_ready(service: _Service, processes: Sequence[Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    host, port = service.settings.host, service.settings.web_port
    while not (answers(host, port) and has_worker(service.redis)):
        if time.monotonic() > deadline or any(process.poll() is not None for process in processes):
            # The log goes with its folder, so what it says last is said here.
            last = (service.folder / LOG).read_text(errors="replace").strip()[-2000:]
            raise ConfigurationError(f"The service did not start. Its log ends with:\n{last}")
        time.sleep(0.1)


@contextlib.contextmanager
def _process(service: _Service, *args: str) -> Iterator[Popen[bytes]]:
    # Nothing but the result goes to our stdout.
    with (service.folder / LOG).open("ab") as output:
        process = spawn([sys.executable, *args], env=service.env, output=output, cwd=service.folder)
    try:
        yield process
    finally:
        stop(process)
