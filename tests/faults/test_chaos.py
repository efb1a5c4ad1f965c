"""Everything at once: two workers are killed at random, Redis loses its connections, its data and its life, while
many conversations ask. At the end every question has exactly one answer, in order."""

import random
import signal
from itertools import pairwise
from subprocess import Popen

import pytest

from core.store.models import Turn
from core.values import TurnState
from tests.asking import Asker
from tests.processes import until

pytestmark = pytest.mark.faults

CONVERSATIONS = 12
QUESTIONS = 6
SEED = 20261124


class Chaos:
    """Breaks one thing after the other until told to stop. Keeps two workers running."""

    def __init__(self, asker: Asker, seed: int) -> None:
        self._asker = asker
        self._random = random.Random(seed)
        self._workers: list[Popen[bytes]] = []
        self.done: dict[str, int] = {}

    def start_workers(self) -> None:
        """Two workers of eight slots, patient with the many failures that chaos brings."""
        while len(self._workers) < 2:
            self._workers.append(self._asker.at.start("worker", GLIMT_WORKER_SLOTS="8", GLIMT_MAX_FAILURES="50"))

    def once(self) -> None:
        """Break one thing."""
        act = self._random.choice(
            [self.kill_worker, self.kill_worker, self.drop_connections, self.wipe, self.kill_redis]
        )
        act()
        self.done[act.__name__] = self.done.get(act.__name__, 0) + 1

    def kill_worker(self) -> None:
        victim = self._workers.pop(self._random.randrange(2))
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        self.start_workers()

    def drop_connections(self) -> None:
        self._asker.at.redis.client_kill_filter(_type="normal", skipme=True)

    def wipe(self) -> None:
        self._asker.at.redis.flushall()

    def kill_redis(self) -> None:
        server = self._asker.at.redis_server
        server.kill()
        for file in (server.folder / "appendonlydir").iterdir():
            file.unlink()
        server.start()


@pytest.mark.timeout(600)
def test_chaos_loses_nothing_doubles_nothing_and_keeps_order(asker: Asker) -> None:
    asked: list[list[str]] = []
    for c in range(CONVERSATIONS):
        asked.append(
            [
                # Half a second each: most of them are hit in mid-answer.
                asker.ask(f"[[slow 0.5]] {c}/{q} one two three", thread=f"thread {c}", person=f"person {c % 5}")
                for q in range(QUESTIONS)
            ]
        )
    flat = [turn_id for thread in asked for turn_id in thread]
    # Only now, so that there is enough left to be broken however slow asking was.
    chaos = Chaos(asker, SEED)
    chaos.start_workers()
    until(lambda: len(asker.at.workers()) == 2, "both workers are there")
    while (still_open := _open(asker, flat)) > len(flat) // 4:
        chaos.once()
        # Chaos needs progress to break: it goes on when a few more are answered.
        enough = still_open - 3
        until(lambda: _open(asker, flat) <= enough, "three more answers")  # noqa: B023  # runs before `enough` changes

    turns = asker.wait(flat, timeout_s=240)

    assert sum(chaos.done.values()) >= 5, chaos.done
    for turn in turns:
        assert (turn.state, turn.answer) == (TurnState.ANSWERED, turn.question), turn.error_message
        assert len(asker.deliveries(turn.id)) == 1
        assert len(asker.usages(turn.id)) == 1
    by_id = {turn.id: turn for turn in turns}
    for thread in asked:
        _in_order([by_id[turn_id] for turn_id in thread])


def _open(asker: Asker, turn_ids: list[str]) -> int:
    with asker.at.store.read() as repositories:
        found = repositories.turns.by_ids(turn_ids)
    return sum(turn.state in (TurnState.READY, TurnState.RUNNING) for turn in found.values())


def _in_order(turns: list[Turn]) -> None:
    for earlier, later in pairwise(turns):
        assert earlier.seq < later.seq
        assert earlier.finished_at is not None
        assert later.started_at is not None
        assert earlier.finished_at <= later.started_at, "a later question began before the earlier was answered"
