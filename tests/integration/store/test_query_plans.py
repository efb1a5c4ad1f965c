"""The queue's queries read the partial indexes, so they stay fast however many turns have been answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, text

from core.store.database import Store
from core.store.models import Turn
from core.store.turns import TurnRepository
from core.values import TurnState
from tests.integration.store.scene import NOW, Scene, after

ANSWERED = 3000
OPEN = 40
PARTIAL = {"ix_turns_open", "ix_turns_open_person", "ix_turns_open_conversation", "uq_turns_one_running"}


@dataclass(frozen=True)
class Crowd:
    """A store with many answered turns, and one of the few that wait."""

    store: Store
    person: str
    thread: str
    waiting: str


@pytest.fixture
def crowd(scene: Scene) -> Crowd:
    thread, person = scene.thread(), scene.person()
    old = {"conversation_id": thread, "person_id": person, "state": TurnState.DELIVERED, "ready_at": NOW}
    with scene.store.write() as repositories:
        repositories.session.execute(insert(Turn), [{**old, "seq": n} for n in range(1, ANSWERED)])
    waiting = [scene.ask(scene.thread(f"open {n}", f"person {n}"), person=f"person {n}", at=n) for n in range(OPEN)]
    running = scene.ask(scene.thread("running"))
    scene.run(running)
    with scene.store.write() as repositories:
        repositories.session.execute(text("ANALYZE"))
    return Crowd(scene.store, scene.person("person 3"), scene.thread("open 3", "person 3"), waiting[3])


@contextmanager
def explained(connection: Connection) -> Iterator[list[str]]:
    """Collects the plan of every statement that is run on the connection meanwhile."""
    plans: list[str] = []
    word = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"

    def explain(_: Connection, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE", "WITH")):
            rows = connection.exec_driver_sql(f"{word} {statement}", parameters).all()
            plans.append("\n".join(str(row[-1]) for row in rows))

    event.listen(connection, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(connection, "before_cursor_execute", explain)


WORK: dict[str, Callable[[TurnRepository, Crowd], object]] = {
    "dispatchable": lambda turns, _: turns.dispatchable(after(99), 100, 4),
    "dispatchable of a person": lambda turns, crowd: turns.dispatchable(after(99), 100, 4, people=[crowd.person]),
    "dispatchable in a thread": lambda turns, crowd: turns.dispatchable(after(99), 9, 4, conversations=[crowd.thread]),
    "mark_dispatched": lambda turns, crowd: turns.mark_dispatched([crowd.waiting], NOW, after(9)),
    "forget_dispatches": lambda turns, _: turns.forget_dispatches(),
    "claim": lambda turns, crowd: turns.claim(crowd.waiting, "w", after(99), after(124)),
    "heartbeat": lambda turns, crowd: turns.heartbeat("worker", [(crowd.waiting, 1)], after(9)),
    "expired": lambda turns, _: turns.expired(after(99), 10),
    "counts_open": lambda turns, crowd: turns.counts_open(crowd.person),
    "counts_by_state": lambda turns, _: turns.counts_by_state(),
    "oldest_ready_age": lambda turns, _: turns.oldest_ready_age(NOW),
    "positions": lambda turns, crowd: turns.positions([crowd.waiting]),
}


def test_answered_turns_are_not_read(crowd: Crowd) -> None:
    for name, work in WORK.items():
        with crowd.store.write() as repositories:
            with explained(repositories.session.connection()) as plans:
                assert work(repositories.turns, crowd) is not None, name
        assert plans, name
        for line in "\n".join(plans).splitlines():
            if any(name in line for name in ("turns", "earlier", "suspect")):
                assert "Seq Scan" not in line, (name, plans)
                assert not line.startswith("SCAN") or "USING" in line, (name, plans)
        # By its own id a turn is found anyway; everything else goes through an index of open turns alone.
        indexes = {word for plan in plans for word in plan.split() if word.startswith(("ix_turns", "uq_turns"))}
        assert indexes <= PARTIAL, (name, plans)
        assert indexes or name == "mark_dispatched", (name, plans)
