"""The same thing done at the same moment by many threads: one wins, nobody breaks anything."""

import threading
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from core.errors import LostLease
from core.store.models import Turn
from core.store.outcome import Outcome
from core.values import Platform, TurnState
from tests.integration.store.scene import LEASE_S, NOW, Scene, after

T = TypeVar("T")
THREADS = 20


def at_once(action: Callable[[int], T], threads: int = THREADS) -> list[T]:
    """Run `action(0)`, `action(1)` … in threads that start together; their results. Raises what they raised."""
    barrier = threading.Barrier(threads)
    results: list[T] = []
    errors: list[BaseException] = []

    def run(number: int) -> None:
        barrier.wait()
        try:
            results.append(action(number))
        except BaseException as error:
            errors.append(error)

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if errors:
        raise errors[0]
    return results


def test_one_of_many_claims_wins(scene: Scene) -> None:
    for n in range(5):
        turn_id = scene.ask(scene.thread(f"thread {n}"))
        claims = at_once(lambda number, turn_id=turn_id: scene.claim(turn_id, f"w{number}"))  # type: ignore[misc]
        winners = [turn for turn in claims if turn is not None]
        assert len(winners) == 1
        assert scene.turn(turn_id).lease_owner == winners[0].lease_owner
        assert scene.turn(turn_id).attempt == 1


def test_every_announcement_is_won_by_one_dispatcher(scene: Scene) -> None:
    ids = [scene.ask(scene.thread(f"thread {n}")) for n in range(30)]

    def mark(number: int) -> list[str]:
        return scene.mark(ids if number % 2 else ids[::-1])

    won = [turn_id for batch in at_once(mark) for turn_id in batch]
    # A dispatcher steps over rows that another one has locked, so a turn may be left to the next round, never doubled.
    assert len(won) == len(set(won))
    assert sorted(won + scene.mark(ids)) == sorted(ids)
    assert {scene.turn(turn_id).dispatch_count for turn_id in ids} == {1}


def test_parallel_questions_get_different_numbers(scene: Scene) -> None:
    thread = scene.thread()
    at_once(lambda number: scene.ask(thread, f"question {number}"))
    with scene.store.read() as repositories:
        turns = repositories.turns.of_conversation(thread)
    assert [turn.seq for turn in turns] == list(range(1, THREADS + 1))
    assert len({turn.question for turn in turns}) == THREADS


def test_two_turns_of_a_conversation_never_run_at_once(scene: Scene) -> None:
    thread = scene.thread()
    ids = [scene.ask(thread, at=n) for n in range(THREADS)]
    claims = at_once(lambda number: scene.claim(ids[number], f"w{number}"))
    assert [turn.id for turn in claims if turn is not None] == [ids[0]]


def test_the_database_itself_refuses_a_second_running_turn(scene: Scene) -> None:
    thread = scene.thread()
    first, second = scene.ask(thread), scene.ask(thread)
    scene.run(first)
    with pytest.raises(IntegrityError):
        with scene.store.write() as repositories:
            repositories.session.execute(update(Turn).where(Turn.id == second).values(state=TurnState.RUNNING))
    assert scene.state(second) == TurnState.READY


def test_a_claim_behind_a_later_running_turn_is_refused_by_the_index(scene: Scene) -> None:
    thread = scene.thread()
    first = scene.ask(thread, state=TurnState.GATHERING)
    later, free = scene.ask(thread), scene.ask(scene.thread("free"))
    with scene.store.write() as repositories:
        # No method does this; the index must hold even if one did.
        repositories.session.execute(update(Turn).where(Turn.id == later).values(state=TurnState.RUNNING))
        repositories.turns.make_ready(first, NOW)
    with scene.store.write() as repositories:
        assert repositories.turns.claim(first, "w", NOW, after(9)) is None
        assert repositories.turns.claim(free, "w", NOW, after(9)) is not None
    assert (scene.state(first), scene.state(free)) == (TurnState.READY, TurnState.RUNNING)


def test_one_of_many_reapers_takes_the_turn(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    scene.run(turn_id)

    def reap(number: int) -> TurnState | None:
        with scene.store.write() as repositories:
            return repositories.turns.reap(turn_id, 1, 3, after(LEASE_S + 1), after(20))

    states = at_once(reap)
    assert sorted(str(state) for state in states) == ["None"] * (THREADS - 1) + ["ready"]
    assert scene.turn(turn_id).failures == 1


def test_finishing_and_reaping_do_not_both_happen(scene: Scene) -> None:
    for n in range(10):
        turn_id = scene.ask(scene.thread(f"thread {n}"))
        scene.run(turn_id)

        def act(number: int, turn_id: str = turn_id) -> str:
            try:
                if number:
                    return str(scene.finish(turn_id, 1, at=LEASE_S).state)
                with scene.store.write() as repositories:
                    return str(repositories.turns.reap(turn_id, 1, 1, after(LEASE_S + 1), after(20)))
            except LostLease:
                return "None"

        states = at_once(act, 2)
        assert sorted(states) in (["None", "answered"], ["None", "failed"])
        assert scene.state(turn_id) in states
        assert len(scene.deliveries(turn_id)) == 1


def test_a_wish_to_stop_is_never_lost_between_worker_and_queue(scene: Scene) -> None:
    for n in range(10):
        turn_id = scene.ask(scene.thread(f"thread {n}"))
        scene.run(turn_id)

        def act(number: int, turn_id: str = turn_id) -> None:
            with scene.store.write() as repositories:
                if number:
                    repositories.turns.request_cancel(turn_id, after(1))
                else:
                    repositories.turns.give_back(turn_id, "worker", 1, after(1))

        at_once(act, 2)
        assert scene.state(turn_id) == TurnState.CANCELLED
        assert len(scene.deliveries(turn_id)) == 1


def test_cancelling_and_claiming_leave_one_clear_state(scene: Scene) -> None:
    for n in range(10):
        turn_id = scene.ask(scene.thread(f"thread {n}"))

        def act(number: int, turn_id: str = turn_id) -> bool:
            if number:
                return scene.claim(turn_id) is not None
            with scene.store.write() as repositories:
                return repositories.turns.request_cancel(turn_id, after(1)) is TurnState.RUNNING

        claimed = any(at_once(act, 2))
        turn = scene.turn(turn_id)
        assert (turn.state, turn.cancel_requested) == ("running" if claimed else "cancelled", True)
        assert len(scene.deliveries(turn_id)) == (0 if claimed else 1)


def test_reopening_and_asking_on_keep_the_order(scene: Scene) -> None:
    for n in range(10):
        thread = scene.thread(f"thread {n}")
        turn_id = scene.ask(thread)
        scene.finish(turn_id, scene.run(turn_id), Outcome(TurnState.FAILED))

        def act(number: int, thread: str = thread, turn_id: str = turn_id) -> str:
            if number:
                return scene.ask(thread)
            with scene.store.write() as repositories:
                return "reopened" if repositories.turns.reopen(turn_id, after(2)) else "too late"

        results = at_once(act, 2)
        (added,) = (result for result in results if len(result) == 32)
        if "reopened" in results:
            assert scene.claim(added, at=3) is None
            assert scene.run(turn_id, at=3) == 2
        else:
            assert scene.run(added, at=3) == 1


def test_heartbeats_and_finishes_do_not_hinder_each_other(scene: Scene) -> None:
    ids = [scene.ask(scene.thread(f"thread {n}")) for n in range(THREADS)]
    for turn_id in ids:
        scene.run(turn_id)

    def act(number: int) -> None:
        if number % 4 == 0:
            with scene.store.write() as repositories:
                repositories.turns.heartbeat("worker", [(turn_id, 1) for turn_id in ids], after(20))
        scene.finish(ids[number], 1)

    at_once(act)
    assert {scene.state(turn_id) for turn_id in ids} == {"answered"}


def test_newcomers_are_made_once(scene: Scene) -> None:
    def arrive(number: int) -> tuple[str, str, str]:
        with scene.store.write() as repositories:
            workspace = repositories.people.workspace(Platform.TELEGRAM, "bot")
            person = repositories.people.person(workspace.id, "ann")
            return workspace.id, person.id, repositories.conversations.get_or_create(workspace.id, "t", person.id).id

    assert len(set(at_once(arrive))) == 1


def test_an_event_is_taken_in_once(scene: Scene) -> None:
    def take(number: int) -> bool:
        with scene.store.write() as repositories:
            return repositories.inbound.first(Platform.SLACK, "Ev1")

    assert sorted(at_once(take)) == [False] * (THREADS - 1) + [True]


def test_a_delivery_is_claimed_once(scene: Scene) -> None:
    (delivery,) = scene.deliveries(scene.answered(scene.thread()))

    def claim(number: int) -> str | None:
        with scene.store.write() as repositories:
            claimed = repositories.deliveries.claim([delivery.id], f"d{number}", after(2), after(30))
            return claimed[0].lease_owner if claimed else None

    assert len([owner for owner in at_once(claim) if owner is not None]) == 1
