"""Any order of events, with several workers that may be dead or late: the rows obey the model and end well."""

from datetime import datetime

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, func, select

from core.errors import LostLease
from core.store.database import Store
from core.store.models import Delivery, Turn, Usage, Workspace
from core.store.outcome import Outcome
from core.values import TurnState
from tests.integration.store.scene import NOW, Scene
from tests.integration.store.turn_model import ENDED, ModelTurn, TurnModel, is_final, soon

LEASE_S = 15
MAX_FAILURES = 3
PEOPLE = ("ann", "bob")
WORKERS = ("w1", "w2")
# Moments that just miss, just meet and clearly pass leases, back-offs and announcements.
WAITS = st.sampled_from([0.5, 5, 10, LEASE_S, LEASE_S + 1])

# Counted from the newest.
AGES = st.integers(0, 3)
# Counted from the oldest: the ones that run, and the ends of the first conversations.
WHICH = st.integers(0, 7)
# Few rules with many cases each: Hypothesis switches whole rules off for a run, and most runs need all of these.
PEOPLES_DOINGS = (
    *("ask", "ask with a file", "files_have_come", "files_have_come", "press_stop", "reopen", "deliver"),
    *("hand_over", "release", "release"),
)
WORKERS_DOINGS = ("claim", "claim", "heartbeat", "retry_later", "give_back", *ENDED)
SWEEPERS_DOINGS = ("announce", "announce", "reap", "reap", "wipe", "time passes", "time passes")

Attempt = tuple[str, str, int]


class TurnMachine(RuleBasedStateMachine):
    """Two people, three conversations (one of them shared), two workers."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.model = TurnModel()
        self.now: datetime = NOW
        self.ends: dict[str, tuple[str, str]] = {}
        self.may_change: set[str] = set()
        self.attempts: list[Attempt] = []

    def attempt(self, age: int) -> Attempt:
        """The last attempt but `age`: mostly one that runs, often enough one that is over."""
        return self.attempts[-1 - age % len(self.attempts)]

    @initialize()
    def begin(self) -> None:
        with self.store.write() as repositories:
            for table in (Workspace, Usage):
                repositories.session.execute(delete(table))
        scene = Scene(self.store)
        self.threads = [scene.thread("ann's"), scene.thread("bob's", "bob"), scene.thread("shared")]
        self.people = {name: scene.person(name) for name in PEOPLE}
        # Something to work on from the start, for the runs in which nobody asks any more.
        first = [self.add(*asked) for asked in ((0, "ann"), (0, "ann"), (1, "bob"), (2, "ann"), (2, "bob"))]
        self.attempts.append(self.take(first[0], WORKERS[0]))

    @rule(what=st.sampled_from(PEOPLES_DOINGS), who=st.sampled_from(PEOPLE), thread=st.integers(0, 2), which=WHICH)
    def somebody_acts(self, what: str, who: str, thread: int, which: int) -> None:
        turn_id = list(self.model.turns)[which % len(self.model.turns)]
        if what.startswith("ask"):
            self.add(thread, who, what == "ask with a file")
        else:
            getattr(self, what)(turn_id)

    @rule(what=st.sampled_from(WORKERS_DOINGS), owner=st.sampled_from(WORKERS), age=AGES, wait=WAITS)
    def a_worker_acts(self, what: str, owner: str, age: int, wait: float) -> None:
        if what == "claim":
            self.attempts.append(self.take(list(self.model.turns)[age % len(self.model.turns)], owner))
        elif what == "heartbeat":
            self.heartbeat(owner, age)
        elif what in ENDED:
            self.write_end(self.attempt(age), TurnState(what))
        elif what == "retry_later":
            self.retry_later(age, wait)
        else:
            self.give_back(age)

    @rule(what=st.sampled_from(SWEEPERS_DOINGS), owner=st.sampled_from(WORKERS), few=st.integers(1, 4), wait=WAITS)
    def the_sweeper_acts(self, what: str, owner: str, few: int, wait: float) -> None:
        if what == "announce":
            self.announce_and_take(owner, per_person=few, limit=5)
        elif what == "reap":
            self.reap(few - 1, wait)
        elif what == "wipe":
            self.redis_is_wiped()
        else:
            self.now = soon(self.now, wait)

    def add(self, thread: int, who: str, gathering: bool = False) -> str:
        state = TurnState.GATHERING if gathering else TurnState.READY
        with self.store.write() as repositories:
            row = repositories.turns.add(self.threads[thread], self.people[who], "?", state=state, now=self.now)
        assert row.seq == len(self.model.of(self.threads[thread])) + 1
        self.model.add(ModelTurn(row.id, self.threads[thread], who, row.seq, state, None if gathering else self.now))
        return row.id

    def files_have_come(self, turn_id: str) -> None:
        turn = self.model.turns[turn_id]
        with self.store.write() as repositories:
            assert repositories.turns.make_ready(turn_id, self.now) == (turn.state is TurnState.GATHERING)
        if turn.state is TurnState.GATHERING:
            turn.state, turn.ready_at = TurnState.READY, self.now

    def take(self, turn_id: str, owner: str) -> Attempt:
        turn = self.model.turns[turn_id]
        with self.store.write() as repositories:
            row = repositories.turns.claim(turn_id, owner, self.now, soon(self.now, LEASE_S))
        assert (row is not None) == self.model.claimable(turn, self.now)
        if row is None:
            # Somebody who believes to hold it all the same: nothing of what they do may count.
            return turn_id, owner, turn.attempt - (owner == turn.owner)
        self.model.claim(turn, owner, soon(self.now, LEASE_S))
        assert row.attempt == turn.attempt
        return turn_id, owner, row.attempt

    def announce_and_take(self, owner: str, per_person: int, limit: int) -> None:
        with self.store.read() as repositories:
            found = repositories.turns.dispatchable(self.now, limit, per_person)
        assert found == self.model.dispatchable(self.now, per_person)[:limit]
        again_at = soon(self.now, 10)
        with self.store.write() as repositories:
            assert repositories.turns.mark_dispatched(found, self.now, again_at) == found
            assert repositories.turns.mark_dispatched(found, self.now, again_at) == []
        for turn_id in found:
            self.model.turns[turn_id].again_at = again_at
        # One of the messages arrives, the others are lost.
        self.attempts += [self.take(turn_id, owner) for turn_id in found[:1]]

    def heartbeat(self, owner: str, age: int) -> None:
        """Of everything that this owner ever took, but for the last `age` attempts, which it has forgotten."""
        until = soon(self.now, LEASE_S)
        works_on = [(turn_id, number) for turn_id, who, number in self.attempts if who == owner]
        works_on = works_on[: len(works_on) - age]
        with self.store.write() as repositories:
            held, cancelled = repositories.turns.heartbeat(owner, works_on, until)
        mine = [
            self.model.turns[turn_id]
            for turn_id, number in set(works_on)
            if self.model.held(self.model.turns[turn_id], owner, number)
        ]
        assert held == {(turn.id, turn.attempt) for turn in mine}
        assert cancelled == {(turn.id, turn.attempt) for turn in mine if turn.cancel_requested}
        for turn in mine:
            turn.lease_until = until

    def write_end(self, attempt: Attempt, end: TurnState) -> None:
        turn_id, owner, number = attempt
        turn = self.model.turns[turn_id]
        outcome = Outcome(end, answer=f"by {owner}, attempt {number}", prompt_tokens=1)  # type: ignore[arg-type]
        held = self.model.held(turn, owner, number)
        try:
            with self.store.write() as repositories:
                repositories.turns.finish(turn_id, owner, number, outcome, self.now)
        except LostLease:
            assert not held
        else:
            assert held
            self.model.end(turn, end)

    def retry_later(self, age: int, wait: float) -> None:
        turn_id, owner, number = self.attempt(age)
        turn = self.model.turns[turn_id]
        held = self.model.held(turn, owner, number)
        later = soon(self.now, wait)
        with self.store.write() as repositories:
            state = repositories.turns.retry_later(
                turn_id, owner, number, now=self.now, not_before=later, error_code="out_of_memory"
            )
        assert state == (self.model.release(turn, later, error="out_of_memory") if held else None)

    def give_back(self, age: int) -> None:
        turn_id, owner, number = self.attempt(age)
        turn = self.model.turns[turn_id]
        held = self.model.held(turn, owner, number)
        with self.store.write() as repositories:
            state = repositories.turns.give_back(turn_id, owner, number, self.now)
        assert state == (self.model.release(turn, None) if held else None)

    def reap(self, age: int, wait: float) -> None:
        with self.store.read() as repositories:
            found = {turn.id: turn.attempt for turn in repositories.turns.expired(self.now, 100)}
        assert set(found) == self.model.expired(self.now)
        turn_id, _, number = self.attempt(age)
        turn = self.model.turns[turn_id]
        later = soon(self.now, wait)
        with self.store.write() as repositories:
            state = repositories.turns.reap(turn_id, number, MAX_FAILURES, self.now, later)
        if found.get(turn_id) != number:
            assert state is None
            return
        expected = self.model.release(turn, later, error="worker_lost")
        if expected is TurnState.READY and turn.failures >= MAX_FAILURES:
            turn.state = expected = TurnState.FAILED
        assert state is expected

    def press_stop(self, turn_id: str) -> None:
        with self.store.write() as repositories:
            state = repositories.turns.request_cancel(turn_id, self.now)
        assert state is self.model.cancel(self.model.turns[turn_id])

    def reopen(self, turn_id: str) -> None:
        self.may_change.add(turn_id)
        with self.store.write() as repositories:
            done = repositories.turns.reopen(turn_id, self.now)
        assert done == self.model.reopen(self.model.turns[turn_id], self.now)

    def hand_over(self, turn_id: str) -> None:
        """Of the turn's conversation."""
        thread = self.model.turns[turn_id].thread
        with self.store.write() as repositories:
            changed = repositories.conversations.hand_over(thread, self.now)
        assert changed == (thread not in self.model.handed_over)
        with self.store.write() as repositories:
            left = [left_id for left_id, _ in repositories.turns.hand_over(thread, self.now)]
            running = [turn.id for turn in repositories.turns.open_of(thread)]
        assert left == self.model.hand_over(thread)
        for running_id in running:
            self.press_stop(running_id)

    def release(self, turn_id: str) -> None:
        """Of the turn's conversation."""
        thread = self.model.turns[turn_id].thread
        with self.store.write() as repositories:
            assert repositories.conversations.release(thread) == (thread in self.model.handed_over)
        self.model.handed_over.discard(thread)

    def deliver(self, turn_id: str) -> None:
        self.may_change.add(turn_id)
        with self.store.write() as repositories:
            repositories.turns.mark_delivered([turn_id], self.now)
        self.model.deliver(self.model.turns[turn_id])

    def redis_is_wiped(self) -> None:
        marked = [t for t in self.model.turns.values() if t.state is TurnState.READY and t.again_at is not None]
        with self.store.write() as repositories:
            assert repositories.turns.forget_dispatches() == len(marked)
        for turn in marked:
            turn.again_at = None

    @invariant()
    def rows_are_as_they_should_be(self) -> None:
        with self.store.read() as repositories:
            rows = repositories.session.scalars(select(Turn)).all()
            counted = select(Delivery.turn_id, func.count()).group_by(Delivery.turn_id)
            deliveries = {row[0]: row[1] for row in repositories.session.execute(counted)}
        by_id = {row.id: row for row in rows}
        seen = {row.id: (row.state, row.attempt, row.failures, row.lease_owner, row.cancel_requested) for row in rows}
        assert seen == {turn.id: turn.seen for turn in self.model.turns.values()}
        # What follows does not lean on the model.
        running = [row for row in rows if row.state == TurnState.RUNNING]
        assert len({row.conversation_id for row in running}) == len(running)
        for row in running:
            assert all(is_final(o.state) for o in rows if o.conversation_id == row.conversation_id and o.seq < row.seq)
        for row in rows:
            assert deliveries.get(row.id, 0) == (is_final(row.state) and row.id not in self.model.silent)
        for turn_id, end in self.ends.items():
            if turn_id not in self.may_change:
                assert (by_id[turn_id].state, by_id[turn_id].answer) == end
        self.ends = {row.id: (row.state, row.answer) for row in rows if is_final(row.state)}
        self.may_change.clear()

    def teardown(self) -> None:
        """From wherever the run stopped, living workers bring every turn to its end, in order."""
        for _ in range(1 + 4 * len(self.model.turns)):
            waiting = [turn for turn in self.model.turns.values() if turn.is_open]
            if not waiting:
                break
            self.now = soon(self.now, 2 * LEASE_S)
            for turn in waiting:
                if turn.state is TurnState.GATHERING:
                    self.files_have_come(turn.id)
                elif turn.state is TurnState.RUNNING:
                    self.attempts.append((turn.id, turn.owner, turn.attempt))
                    self.reap(0, 0)
            for turn_id in self.model.dispatchable(self.now, 4):
                self.write_end(self.take(turn_id, "last"), TurnState.ANSWERED)
            self.rows_are_as_they_should_be()
        assert not [turn for turn in self.model.turns.values() if turn.is_open]


def machine_on(store: Store) -> type[TurnMachine]:
    class OnStore(TurnMachine):
        def __init__(self) -> None:
            super().__init__(store)

    return OnStore


def test_any_order_of_events_ends_well(store: Store, sql_url: str) -> None:
    run_state_machine_as_test(
        machine_on(store),
        settings=settings(
            # The guards are the same SQL on both; PostgreSQL takes three times as long for a step.
            max_examples=60 if sql_url.startswith("sqlite") else 20,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.load
@pytest.mark.timeout(1800)
def test_very_many_orders_of_events_end_well(store: Store) -> None:
    run_state_machine_as_test(
        machine_on(store),
        settings=settings(
            max_examples=500, stateful_step_count=80, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
