"""Thumbs, and what answers cost."""

import pytest

from core.store.outcome import Outcome
from core.store.usage import UsageTotals
from core.values import Platform, TurnState
from tests.integration.store.scene import Scene, after


def ratings(scene: Scene, turn_id: str) -> list[tuple[int, str]]:
    with scene.store.read() as repositories:
        return [(row.rating, row.reason) for row in repositories.feedback.of_turn(turn_id)]


def test_the_latest_verdict_of_each_person_counts(scene: Scene) -> None:
    turn_id = scene.answered(scene.thread())
    ann, bob = scene.person(), scene.person("bob")
    with scene.store.write() as repositories:
        repositories.feedback.set(turn_id, ann, 1, now=after(1))
        repositories.feedback.set(turn_id, bob, -1, "wrong colour", now=after(2))
    assert ratings(scene, turn_id) == [(1, ""), (-1, "wrong colour")]
    with scene.store.write() as repositories:
        repositories.feedback.set(turn_id, ann, -1, "wrong shape", now=after(3))
    assert ratings(scene, turn_id) == [(-1, "wrong colour"), (-1, "wrong shape")]


def test_a_verdict_is_taken_back(scene: Scene) -> None:
    turn_id = scene.answered(scene.thread())
    with scene.store.write() as repositories:
        ann = repositories.people.person(repositories.people.workspace(Platform.SLACK, "team").id, "ann").id
        repositories.feedback.set(turn_id, ann, 0, now=after(1))
        repositories.feedback.set(turn_id, ann, 1, now=after(1))
        repositories.feedback.set(turn_id, ann, 0, now=after(2))
    assert ratings(scene, turn_id) == []


def test_there_are_only_thumbs(scene: Scene) -> None:
    turn_id, ann = scene.answered(scene.thread()), scene.person()
    with pytest.raises(ValueError, match="-1, 0 or 1"):
        with scene.store.write() as repositories:
            repositories.feedback.set(turn_id, ann, 5, now=after(1))


def test_costs_are_summed_for_each_workspace_since_a_moment(scene: Scene) -> None:
    for n, platform in enumerate((Platform.SLACK, Platform.SLACK, Platform.WEB)):
        turn_id = scene.ask(scene.thread(f"thread {n}", platform=platform), platform=platform, at=n)
        outcome = Outcome(
            TurnState.ANSWERED,
            prompt_tokens=100 + n,
            picture_tokens=64,
            cached_tokens=n,
            completion_tokens=10,
            engine_s=0.5,
        )
        scene.finish(turn_id, scene.run(turn_id, at=n), outcome, at=n * 10)
    with scene.store.write() as repositories:
        slack = repositories.people.workspace(Platform.SLACK, "team").id
        totals = repositories.usage.totals
        assert totals(slack, after(0)) == UsageTotals(2, 201, 128, 1, 20, 1.0)
        assert totals(slack, after(5)) == UsageTotals(1, 101, 64, 1, 10, 0.5)
        assert totals(slack, after(99)) == UsageTotals(0, 0, 0, 0, 0, 0.0)
        assert totals("0" * 32, after(0)) == UsageTotals(0, 0, 0, 0, 0, 0.0)
