"""Two real workers: a conversation stays with the one that remembers it, while that one lives and has a slot free."""

import signal
from collections.abc import Iterator
from subprocess import Popen

import pytest

from core.queue.affinity import HOLDER, own_queue
from core.queue.cancel import request_cancel
from core.store.models import Turn
from core.values import TurnState
from tests.asking import Asker
from tests.processes import PATIENCE_S, installation, until

SLOTS = "2"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Asker, dict[str, Popen[bytes]]]]:
    """Two workers, by owner. Announced once and not again: a turn that is left to a dead one is found by affinity."""
    with installation(tmp_path_factory.mktemp("pair"), GLIMT_REDISPATCH_S="3600", GLIMT_WORKER_SLOTS=SLOTS) as made:
        workers: dict[str, Popen[bytes]] = {}
        for _ in range(2):
            process = made.start_worker()
            (owner,) = made.workers() - set(workers)
            workers[owner] = process
        yield Asker(made), workers


def holder(asker: Asker, turn: Turn) -> str:
    """Owner of the worker that answered last in the turn's conversation."""
    value = asker.at.redis.get(HOLDER + turn.conversation_id)
    assert isinstance(value, bytes)
    return value.decode()


def patient(asker: Asker) -> Asker:
    """Leaves follow-ups to their holder for as long as it takes: a busy machine may need more than a moment."""
    made = Asker(asker.at)
    made.dispatcher.affinity_s = PATIENCE_S
    return made


def answered(asker: Asker, question: str, thread: str) -> Turn:
    (turn,) = asker.wait([asker.ask(question, thread=thread)])
    assert turn.state == TurnState.ANSWERED
    return turn


def test_a_conversation_stays_with_its_worker(pair: tuple[Asker, dict[str, Popen[bytes]]]) -> None:
    asker = patient(pair[0])
    threads = [f"stays {number}" for number in range(3)]
    turns = {thread: [answered(asker, "one", thread)] for thread in threads}
    first = {thread: holder(asker, turns[thread][0]) for thread in threads}
    for question in ("two", "three", "four"):
        for thread in threads:
            turns[thread].append(answered(asker, question, thread))
            assert holder(asker, turns[thread][-1]) == first[thread]
    for thread in threads:
        cached = [turn.cached_tokens for turn in turns[thread]]
        assert cached[0] == 0
        assert cached == sorted(set(cached))
        assert asker.usages(turns[thread][-1].id)[0].cached_tokens == cached[-1]


def test_a_holder_without_a_free_slot_is_not_waited_for(pair: tuple[Asker, dict[str, Popen[bytes]]]) -> None:
    asker, workers = pair
    first = answered(asker, "one", "busy")
    busy = holder(asker, first)
    hanging: list[str] = []
    # Whoever takes them: in the end the holder has no slot free, and the other one has.
    while sum(asker.turn(turn_id).lease_owner == busy for turn_id in hanging) < int(SLOTS):
        hanging.append(asker.ask("[[hang]]", person=f"person {len(hanging)}"))
        asker.wait_for_text(hanging[-1])
        if asker.turn(hanging[-1]).lease_owner != busy:
            request_cancel(asker.at.store, asker.at.redis, hanging[-1], 60)
            asker.wait([hanging.pop()])

    second = answered(asker, "two", "busy")

    assert holder(asker, second) in set(workers) - {busy}
    assert (second.cached_tokens, second.attempt) == (0, 1)
    # And there it stays, also when the first is free again.
    for turn_id in hanging:
        request_cancel(asker.at.store, asker.at.redis, turn_id, 60)
    asker.wait(hanging)
    third = answered(patient(asker), "three", "busy")
    assert holder(asker, third) == holder(asker, second)
    assert third.cached_tokens > 0


def test_a_dead_holder_is_replaced(pair: tuple[Asker, dict[str, Popen[bytes]]]) -> None:
    asker, workers = pair
    first = answered(asker, "one", "dead")
    killed = holder(asker, first)
    workers[killed].send_signal(signal.SIGKILL)
    workers[killed].wait()
    # Its presence still says that it lives.
    assert killed in asker.at.workers()

    second = asker.ask("two", thread="dead")

    assert asker.at.redis.llen(own_queue(killed).name) == 1
    (turn,) = asker.wait([second])
    assert (turn.state, turn.answer, turn.attempt) == (TurnState.ANSWERED, "two", 1)
    assert holder(asker, turn) != killed
    assert answered(patient(asker), "three", "dead").cached_tokens > 0
    until(lambda: asker.at.redis.ttl(own_queue(killed).name) != -1, "what it did not take is forgotten in time")
