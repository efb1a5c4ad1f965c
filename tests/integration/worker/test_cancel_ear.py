"""The ear hears every Stop, after its connection fell silent too, and never keeps the process from ending."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.queue.cancel import CANCEL_CHANNEL
from core.queue.connect import connect
from core.queue.embedded import EmbeddedRedis
from tests.integration.worker.proxy import listening, silent_proxy
from tests.processes import until
from worker.held import HeldTurn, HeldTurns, Stop
from worker.leases import CancelEar


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not under pytest's folder: a path to a Unix socket must stay short.
    with tempfile.TemporaryDirectory(prefix="glimt-ear-") as name:
        yield Path(name)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(folder / "redis.sock", folder) as server:
        yield server


def stop(server: EmbeddedRedis, held: HeldTurn) -> None:
    """Press Stop until the ear has heard it: it may not be listening yet."""
    redis = connect(server.url)

    def heard() -> bool:
        redis.publish(CANCEL_CHANNEL, held.request_id)
        return held.stop is not None

    until(heard, "the ear hears")
    redis.close()


def test_a_stop_is_heard_by_the_attempt_that_it_is_meant_for(server: EmbeddedRedis) -> None:
    register = HeldTurns(lambda _: None)
    first, second, other = register.add("turn", 1), register.add("turn", 2), register.add("other", 1)
    ear = CancelEar(server.url, register)
    ear.start()
    stop(server, first)
    ear.close()
    assert (first.stop, second.stop, other.stop) == (Stop.CANCELLED, None, None)


def test_a_connection_that_fell_silent_is_replaced(server: EmbeddedRedis, folder: Path) -> None:
    register = HeldTurns(lambda _: None)
    before, after = register.add("before", 1), register.add("after", 1)
    with silent_proxy(folder / "proxy.sock", folder / "redis.sock") as proxy:
        ear = CancelEar(f"unix://{folder / 'proxy.sock'}", register)
        ear.start()
        stop(server, before)
        proxy.silence()
        stop(server, after)
        ear.close()
    assert after.stop is Stop.CANCELLED


def test_a_server_that_never_answers_does_not_keep_the_process(folder: Path) -> None:
    with listening(folder / "tarpit.sock") as listener:
        ear = CancelEar(f"unix://{folder / 'tarpit.sock'}", HeldTurns(lambda _: None))
        ear.start()
        connection, _ = listener.accept()
        ear.close()
        connection.close()
