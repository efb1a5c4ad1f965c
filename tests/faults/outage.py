"""A PostgreSQL database that refuses everybody for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import make_url

from tests.fixtures_db import PostgresServer


@contextmanager
def refusing(server: PostgresServer, sql_url: str) -> Iterator[None]:
    """Cuts every connection to the database and lets nobody in until the end of the block."""
    name = make_url(sql_url).database
    administrator = server.url("postgres").replace("+psycopg", "")
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
