"""What one worker has no thread for is there for the other."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu.asynchronous import Hub, get_event_loop, set_event_loop

from core.queue.cancel import request_cancel
from core.values import TurnState
from tests.asking import Asker
from tests.processes import PATIENCE_S, installation
from worker.pool import WakingPool


def test_a_busy_worker_hoards_no_turns(tmp_path: Path) -> None:
    # Announced once and not again: what the first worker took would stay with it.
    with installation(tmp_path, GLIMT_REDISPATCH_S="3600") as made:
        asker = Asker(made)
        made.start_worker(GLIMT_WORKER_SLOTS="2")
        asked = [asker.ask("[[hang]]", person=f"person {n}") for n in range(2)]
        for turn_id in asked:
            asker.wait_for_text(turn_id)
        asked += [asker.ask("[[hang]]", person=f"person {n}") for n in range(2, 4)]
        made.start_worker(GLIMT_WORKER_SLOTS="2")
        for turn_id in asked:
            asker.wait_for_text(turn_id)

        turns = [asker.turn(turn_id) for turn_id in asked]

        assert [turn.state for turn in turns] == [TurnState.RUNNING] * 4
        assert turns[0].lease_owner == turns[1].lease_owner
        assert turns[2].lease_owner == turns[3].lease_owner
        for turn_id in asked:
            request_cancel(made.store, made.redis, turn_id, 60)
        asker.wait(asked)


class FakeLoop(Hub):
    """Stands in for Celery's loop: `called` when somebody wakes it."""

    def __init__(self) -> None:
        self.called = threading.Event()

    def call_soon(self, callback: Any) -> None:
        callback()
        self.called.set()


@pytest.fixture
def loop() -> Iterator[FakeLoop]:
    before, loop = get_event_loop(), FakeLoop()
    set_event_loop(loop)
    yield loop
    set_event_loop(before)


def test_the_loop_is_woken_when_a_task_has_left_its_thread(loop: FakeLoop) -> None:
    pool = WakingPool(1)
    done: list[bool] = []

    def told(_: object) -> None:
        done.append(loop.called.is_set())

    pool.on_apply(lambda: None, (), {}, told, lambda *_: None)

    assert loop.called.wait(PATIENCE_S)
    assert done == [False], "the task is done with before the loop looks for a free thread"
    pool.on_stop()


def test_without_a_loop_nobody_is_woken() -> None:
    before = get_event_loop()
    set_event_loop(None)
    pool = WakingPool(1)
    pool.on_apply(lambda: None, (), {}, lambda _: None, lambda *_: None).wait()
    pool.on_stop()
    set_event_loop(before)
