"""Turns that went down together with their worker come back one at a time: one of them may have killed it."""

import pytest

from core.values import TurnState
from tests.integration.store.scene import LEASE_S, Scene, after


def went_down(scene: Scene, count: int = 3, at: float = 0) -> list[str]:
    """Turns of as many people that ran beside each other when their worker died; longest waiting first."""
    people = [f"person {n}" for n in range(count)]
    ids = [scene.ask(scene.thread(f"of {who}", who), person=who, at=at + n) for n, who in enumerate(people)]
    for turn_id in ids:
        scene.run(turn_id, "dead", at=at + count)
    for turn_id in ids:
        reap(scene, turn_id, 1, at=at + count + LEASE_S + 1)
    return ids


def reap(scene: Scene, turn_id: str, attempt: int, at: float) -> None:
    with scene.store.write() as repositories:
        assert repositories.turns.reap(turn_id, attempt, 3, after(at), after(at)) is not None


def test_suspects_are_announced_and_claimed_one_at_a_time(scene: Scene) -> None:
    first, second, third = went_down(scene)
    assert scene.dispatchable(at=50) == [first]
    scene.mark([first], at=50)
    assert scene.dispatchable(at=51) == [], "one is announced"
    attempt = scene.run(first, at=52)
    assert scene.dispatchable(at=52) == [], "one is running"
    assert scene.claim(second, at=52) is None, "a message from before the worker died"
    scene.finish(first, attempt, at=53)
    assert scene.dispatchable(at=53) == [second]
    assert scene.run(third, at=53) == 2, "which of them comes next is the dispatcher's choice alone"
    assert scene.claim(second, at=53) is None


def test_others_are_answered_beside_a_suspect(scene: Scene) -> None:
    first, second = went_down(scene, 2)
    innocent, another = (scene.ask(scene.thread(f"new {n}"), at=20 + n) for n in range(2))
    assert scene.dispatchable(at=50) == [first, innocent, another]
    scene.run(innocent, at=50)
    assert scene.run(first, at=50) == 2
    assert scene.run(another, at=50) == 1
    assert scene.claim(second, at=50) is None


def test_a_suspect_in_its_last_attempt_frees_the_next(scene: Scene) -> None:
    poison, innocent = went_down(scene, 2)
    for attempt in (2, 3):
        at = attempt * 100
        assert scene.run(poison, at=at) == attempt
        reap(scene, poison, attempt, at=at + LEASE_S + 1)
        assert scene.turn(innocent).failures == 1
    assert scene.state(poison) == TurnState.FAILED
    assert scene.dispatchable(at=400) == [innocent]


def test_who_waits_for_rest_holds_nobody_back(scene: Scene) -> None:
    resting, rested = went_down(scene, 2)
    scene.run(resting, at=50)
    with scene.store.write() as repositories:
        repositories.turns.reap(resting, 2, 3, after(70), after(99))
    assert scene.dispatchable(at=80) == [rested]


@pytest.mark.parametrize("cleared", ["retry_later", "reopen"])
def test_another_fault_or_another_try_ends_the_suspicion(scene: Scene, cleared: str) -> None:
    suspect, other = went_down(scene, 2)
    attempt = scene.run(other, at=50)
    with scene.store.write() as repositories:
        if cleared == "retry_later":
            repositories.turns.retry_later(
                other, "worker", attempt, now=after(51), not_before=after(51), error_code="out_of_memory"
            )
        else:
            repositories.turns.request_cancel(other, after(51))
            repositories.turns.give_back(other, "worker", attempt, after(51))
            repositories.turns.reopen(other, after(51))
    assert sorted(scene.dispatchable(at=52)) == sorted([suspect, other])


def test_giving_back_a_suspect_keeps_the_suspicion(scene: Scene) -> None:
    first, second = went_down(scene, 2)
    attempt = scene.run(first, at=50)
    with scene.store.write() as repositories:
        repositories.turns.give_back(first, "worker", attempt, after(51))
    assert scene.dispatchable(at=52) == [first]
    scene.run(first, at=52)
    assert scene.claim(second, at=52) is None


def test_suspects_take_up_one_place_of_their_persons_share(scene: Scene) -> None:
    ids = [scene.ask(scene.thread(f"thread {n}"), at=n) for n in range(4)]
    for turn_id in ids[:3]:
        scene.run(turn_id, "dead", at=5)
    for turn_id in ids[:3]:
        reap(scene, turn_id, 1, at=50)
    assert scene.dispatchable(at=51, per_person=2) == [ids[0], ids[3]]


def test_only_the_look_at_everybody_finds_suspects(scene: Scene) -> None:
    went_down(scene, 2)
    with scene.store.read() as repositories:
        assert repositories.turns.dispatchable(after(50), 9, 4, people=[scene.person("person 1")]) == []
