"""Redis loses everything, goes away, freezes or is fed rubbish: SQL is the truth."""

import pickle
import signal
from base64 import b64encode
from json import dumps
from pathlib import Path

import pytest

from core.queue.celery_app import QUEUE, TASK_ANSWER
from core.values import TurnState, new_id
from tests.asking import Asker, ended
from tests.integration.worker.proxy import listening
from tests.processes import PATIENCE_S, installation, until

pytestmark = pytest.mark.faults


def test_flushall_with_twenty_waiting_loses_none(asker: Asker) -> None:
    waiting = [asker.ask(f"question {n}", person=f"person {n % 7}") for n in range(20)]
    assert asker.at.redis.llen(QUEUE) == 20
    asker.at.redis.flushall()

    asker.at.start_worker()
    turns = asker.wait(waiting)

    assert [turn.answer for turn in turns] == [f"question {n}" for n in range(20)]
    assert all(turn.attempt == 1 and len(asker.deliveries(turn.id)) == 1 for turn in turns)


def test_flushall_under_a_busy_worker_loses_none(asker: Asker) -> None:
    asker.at.start_worker(GLIMT_WORKER_SLOTS="1")
    busy = asker.ask("[[tokens 40]] [[pace 20]]")
    waiting = [asker.ask(f"question {n}", person=f"person {n}") for n in range(20)]
    asker.wait_for_text(busy)
    asker.at.redis.flushall()

    turns = asker.wait([busy, *waiting])

    assert [turn.answer for turn in turns[1:]] == [f"question {n}" for n in range(20)]
    assert all(turn.state == TurnState.ANSWERED and turn.attempt == 1 for turn in turns)
    assert all(len(asker.deliveries(turn.id)) == 1 for turn in turns)
    # A reader that comes after the wipe still gets the whole answer, from SQL.
    assert ended(asker.follow(busy)).answer.endswith("word40")


def test_redis_killed_and_restarted_empty_in_mid_answer(asker: Asker) -> None:
    asker.at.start_worker()
    running = asker.ask("[[tokens 60]] [[pace 20]]")
    asker.wait_for_text(running)
    server = asker.at.redis_server
    server.kill()
    for file in (server.folder / "appendonlydir").iterdir():
        file.unlink()
    later = [asker.accept(f"question {n}", person=f"person {n}").turn_id for n in range(5)]
    server.start()

    turns = asker.wait([running, *later])

    assert [turn.state for turn in turns] == [TurnState.ANSWERED] * 6
    assert all(turn.attempt == 1 for turn in turns)


def test_asking_while_redis_is_away_is_accepted_and_answered_later(asker: Asker) -> None:
    asker.at.redis_server.stop()
    accepted = [asker.ask(f"question {n}") for n in range(3)]
    assert [asker.turn(turn_id).state for turn_id in accepted] == [TurnState.READY] * 3

    asker.at.redis_server.start()
    asker.at.start_worker()

    assert [turn.answer for turn in asker.wait(accepted)] == ["question 0", "question 1", "question 2"]


def test_a_frozen_redis_leaves_no_worker_deaf(asker: Asker) -> None:
    """Half-open connections: the server keeps the sockets and says nothing for longer than every time-out."""
    asker.at.start_worker()
    process = asker.at.redis_server.process
    process.send_signal(signal.SIGSTOP)
    log = asker.at.folder / "worker-0.log"
    until(lambda: "sweep" in log.read_text() and "TimeoutError" in log.read_text(), "the worker notices")
    process.send_signal(signal.SIGCONT)

    turns = asker.wait([asker.ask(f"question {n}") for n in range(5)])

    assert all(turn.state == TurnState.ANSWERED for turn in turns)


def test_a_redis_that_accepts_and_says_nothing_keeps_no_worker_from_stopping(tmp_path: Path) -> None:
    with installation(tmp_path) as made:
        asker = Asker(made)
        worker = made.start_worker()
        turn_id = asker.ask("[[hang]]")
        asker.wait_for_text(turn_id)
        made.redis_server.kill()
        made.redis_server.socket.unlink(missing_ok=True)
        with listening(made.redis_server.socket):
            log = made.folder / "worker-0.log"
            until(lambda: "cancel_ear_lost" in log.read_text(), "the worker notices")
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE_S) == 0

        assert asker.turn(turn_id).state == TurnState.READY


def test_dropped_connections_lose_none(asker: Asker) -> None:
    asker.at.start_worker()
    asked = []
    for n in range(10):
        asked.append(asker.ask(f"[[tokens 5]] [[pace 50]] {n}", person=f"person {n}"))
        asker.at.redis.client_kill_filter(_type="normal", skipme=True)
        asker.at.redis.client_kill_filter(_type="pubsub")

    turns = asker.wait(asked)

    assert all(turn.state == TurnState.ANSWERED for turn in turns)
    assert all(len(asker.deliveries(turn.id)) == 1 for turn in turns)


def test_a_pickle_message_is_refused_and_harms_nobody(asker: Asker) -> None:
    proof = asker.at.folder / "pickle-was-run"
    asker.at.start_worker()

    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str, str]]:
            return open, (str(proof), "w")

    body = b64encode(pickle.dumps(((Attack(),), {}, {}))).decode()
    properties = {
        "delivery_tag": new_id(),
        "delivery_info": {"exchange": "", "routing_key": QUEUE},
        "delivery_mode": 2,
        "body_encoding": "base64",
        "correlation_id": new_id(),
    }
    message = {
        "body": body,
        "content-encoding": "binary",
        "content-type": "application/x-python-serialize",
        "headers": {"task": TASK_ANSWER, "id": new_id(), "lang": "py"},
        "properties": properties,
    }
    asker.at.redis.lpush(QUEUE, dumps(message))

    turns = asker.wait([asker.ask(f"question {n}") for n in range(3)])

    assert all(turn.state == TurnState.ANSWERED for turn in turns)
    assert not proof.exists()
    assert asker.at.redis.llen(QUEUE) == 0


def test_hints_for_unknown_or_finished_turns_are_ignored(asker: Asker) -> None:
    asker.at.start_worker()
    (done,) = asker.wait([asker.ask("once")])
    for turn_id in (done.id, new_id(), "' OR 1=1 --"):
        asker.dispatcher.send([turn_id])

    (next_one,) = asker.wait([asker.ask("twice")])

    assert next_one.answer == "twice"
    assert asker.turn(done.id).attempt == 1
