"""Claiming, holding, finishing and giving back; and taking from workers that are gone."""

import pytest

from core.errors import LostLease
from core.store.models import Usage
from core.store.outcome import Outcome
from core.values import TurnState
from tests.integration.store.scene import LEASE_S, NOW, Scene, after

ANSWER = Outcome(
    TurnState.ANSWERED,
    answer="A star.",
    thinking="Five points.",
    observations=({"picture": "k" * 64, "model": "eyes", "text": "Five “points” ⭐."},),
    finish_reason="stop",
    model="demo",
    prompt_tokens=120,
    picture_tokens=64,
    cached_tokens=30,
    completion_tokens=4,
    engine_s=0.25,
    left_out=({"seq": 1, "what": "pictures"},),
    boxes=({"label": "star", "left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4},),
    history_hash="d" * 64,
    first_token_at=after(0.5),
)
COUNTS = ("prompt_tokens", "picture_tokens", "cached_tokens", "completion_tokens")


def usage(scene: Scene) -> list[Usage]:
    with scene.store.read() as repositories:
        return list(repositories.session.query(Usage).order_by(Usage.attempt).all())


def test_a_claim_makes_a_new_attempt(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    scene.mark([turn_id])
    turn = scene.claim(turn_id, "w1", at=2)
    assert turn is not None
    assert (turn.state, turn.attempt, turn.lease_owner, turn.question) == ("running", 1, "w1", "What is this?")
    assert (turn.started_at, turn.lease_until, turn.dispatch_again_at) == (after(2), after(2 + LEASE_S), None)


def test_only_a_ready_turn_is_claimed(scene: Scene) -> None:
    gathering = scene.ask(scene.thread("gathering"), state=TurnState.GATHERING)
    running = scene.ask(scene.thread("running"))
    scene.run(running)
    done = scene.answered(scene.thread("done"))
    for turn_id in (gathering, running, done, "0" * 32):
        assert scene.claim(turn_id, "w2") is None
    assert scene.turn(running).lease_owner == "worker"


def test_an_earlier_open_turn_comes_first(scene: Scene) -> None:
    thread = scene.thread()
    first, second, third = (scene.ask(thread, at=n) for n in range(3))
    assert scene.claim(second) is None
    attempt = scene.run(first)
    assert scene.claim(second) is None
    scene.finish(first, attempt)
    assert scene.claim(third) is None
    assert scene.run(second) == 1


def test_a_claim_that_loses_leaves_the_transaction_usable(scene: Scene) -> None:
    thread = scene.thread()
    scene.run(scene.ask(thread))
    behind = scene.ask(thread)
    free = scene.ask(scene.thread("free"))
    with scene.store.write() as repositories:
        assert repositories.turns.claim(behind, "w", NOW, after(9)) is None
        assert repositories.turns.claim(free, "w", NOW, after(9)) is not None
    assert scene.state(free) == TurnState.RUNNING


def test_a_heartbeat_prolongs_what_the_owner_works_on(scene: Scene) -> None:
    mine = [scene.ask(scene.thread(f"thread {n}")) for n in range(3)]
    theirs = scene.ask(scene.thread("theirs"))
    for turn_id in mine:
        scene.run(turn_id, "w1")
    scene.run(theirs, "w2")
    scene.finish(mine[0], 1, owner="w1")
    with scene.store.write() as repositories:
        repositories.turns.request_cancel(mine[1], after(1))
        works_on = [(turn_id, 1) for turn_id in (*mine, theirs)]
        held, cancelled = repositories.turns.heartbeat("w1", works_on, after(18))
    assert held == {(mine[1], 1), (mine[2], 1)}
    assert cancelled == {(mine[1], 1)}
    assert scene.turn(mine[2]).lease_until == after(18)
    assert scene.turn(theirs).lease_until == after(LEASE_S)


def test_what_its_owner_forgot_runs_out(scene: Scene) -> None:
    forgotten, held = (scene.ask(scene.thread(f"thread {n}")) for n in range(2))
    for turn_id in (forgotten, held):
        scene.run(turn_id, "w1")
    with scene.store.write() as repositories:
        # The attempt that the owner still believes in is over: it must not keep the one behind it alive.
        works_on = [(forgotten, 0), (held, 1)]
        assert repositories.turns.heartbeat("w1", works_on, after(60)) == ({(held, 1)}, set())
        assert [turn.id for turn in repositories.turns.expired(after(LEASE_S + 1), 10)] == [forgotten]


def test_a_heartbeat_without_work_holds_nothing(scene: Scene) -> None:
    with scene.store.write() as repositories:
        assert repositories.turns.heartbeat("nobody", [], after(9)) == (set(), set())


def test_the_first_token_is_noted_by_the_holder_alone(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    scene.run(turn_id, "w1")
    with scene.store.write() as repositories:
        repositories.turns.first_token(turn_id, 1, "w2", after(1))
        repositories.turns.first_token(turn_id, 2, "w1", after(2))
    assert scene.turn(turn_id).first_token_at is None
    with scene.store.write() as repositories:
        repositories.turns.first_token(turn_id, 1, "w1", after(3))
    scene.finish(turn_id, 1, owner="w1")
    assert scene.turn(turn_id).first_token_at == after(3)


def test_finishing_writes_the_answer_its_cost_and_its_delivery(scene: Scene) -> None:
    thread = scene.thread()
    turn_id = scene.ask(thread)
    returned = scene.finish(turn_id, scene.run(turn_id), ANSWER, at=7)
    turn = scene.turn(turn_id)
    assert returned.answer == turn.answer == "A star."
    assert (turn.state, turn.thinking, turn.finish_reason, turn.model) == ("answered", "Five points.", "stop", "demo")
    assert turn.observations == list(ANSWER.observations)
    assert (turn.finished_at, turn.first_token_at, turn.delivered_at) == (after(7), after(0.5), None)
    assert (turn.lease_owner, turn.lease_until, turn.history_hash) == ("", None, "d" * 64)
    assert turn.left_out == [{"seq": 1, "what": "pictures"}]
    assert turn.boxes == [{"label": "star", "left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4}]
    (cost,) = usage(scene)
    assert [getattr(cost, name) for name in COUNTS] == [getattr(turn, name) for name in COUNTS] == [120, 64, 30, 4]
    assert (cost.turn_id, cost.attempt, cost.person_id, cost.engine_s) == (turn_id, 1, scene.person(), 0.25)
    (delivery,) = scene.deliveries(turn_id)
    assert (delivery.kind, delivery.platform, delivery.state) == ("answer", "slack", "pending")
    with scene.store.read() as repositories:
        conversation = repositories.conversations.get(thread)
    assert conversation is not None
    assert conversation.updated_at == after(7)


@pytest.mark.parametrize("state", [TurnState.FAILED, TurnState.CANCELLED])
def test_every_end_is_delivered_and_costs_only_what_was_computed(scene: Scene, state: TurnState) -> None:
    turn_id = scene.ask(scene.thread())
    scene.finish(turn_id, scene.run(turn_id), Outcome(state, error_code="code", error_message="Why."))  # type: ignore[arg-type]
    turn = scene.turn(turn_id)
    assert (turn.state, turn.error_code, turn.error_message) == (state, "code", "Why.")
    assert len(scene.deliveries(turn_id)) == 1
    assert usage(scene) == []


@pytest.mark.parametrize(("owner", "attempt"), [("w2", 1), ("w1", 0), ("w1", 2), ("", 1)])
def test_who_does_not_hold_the_turn_writes_nothing(scene: Scene, owner: str, attempt: int) -> None:
    turn_id = scene.ask(scene.thread())
    scene.run(turn_id, "w1")
    with pytest.raises(LostLease):
        scene.finish(turn_id, attempt, ANSWER, owner=owner)
    with scene.store.write() as repositories:
        late = repositories.turns.retry_later
        assert late(turn_id, owner, attempt, now=NOW, not_before=NOW, error_code="x") is None
        assert repositories.turns.give_back(turn_id, owner, attempt, NOW) is None
    turn = scene.turn(turn_id)
    assert (turn.state, turn.lease_owner, turn.attempt, turn.failures, turn.answer) == ("running", "w1", 1, 0, "")
    assert scene.deliveries(turn_id) == []
    assert usage(scene) == []


def test_a_turn_is_finished_once(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    scene.run(turn_id)
    scene.finish(turn_id, 1, ANSWER)
    with pytest.raises(LostLease):
        scene.finish(turn_id, 1, ANSWER)
    assert len(scene.deliveries(turn_id)) == len(usage(scene)) == 1


def test_a_failure_is_counted_and_waits(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    scene.run(turn_id)
    with scene.store.write() as repositories:
        state = repositories.turns.retry_later(
            turn_id, "worker", 1, now=after(1), not_before=after(4), error_code="out_of_memory"
        )
    assert state is TurnState.READY
    turn = scene.turn(turn_id)
    assert (turn.failures, turn.not_before, turn.error_code) == (1, after(4), "out_of_memory")
    assert (turn.lease_owner, turn.lease_until, turn.dispatch_again_at, turn.ready_at) == ("", None, None, NOW)
    assert scene.claim(turn_id, at=3.9) is None
    assert scene.run(turn_id, at=4) == 2


def test_giving_back_costs_nothing(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    scene.run(turn_id)
    with scene.store.write() as repositories:
        assert repositories.turns.give_back(turn_id, "worker", 1, after(1)) is TurnState.READY
    assert (scene.turn(turn_id).failures, scene.turn(turn_id).lease_owner) == (0, "")
    assert scene.dispatchable(at=1) == [turn_id]
    assert scene.run(turn_id, "other", at=1) == 2


@pytest.mark.parametrize("how", ["retry_later", "give_back", "reap"])
def test_a_wish_to_stop_survives_the_worker(scene: Scene, how: str) -> None:
    turn_id = scene.ask(scene.thread())
    scene.run(turn_id)
    with scene.store.write() as repositories:
        turns = repositories.turns
        turns.request_cancel(turn_id, after(1))
        if how == "retry_later":
            state = turns.retry_later(turn_id, "worker", 1, now=after(2), not_before=after(3), error_code="x")
        elif how == "give_back":
            state = turns.give_back(turn_id, "worker", 1, after(2))
        else:
            state = turns.reap(turn_id, 1, 1, after(99), after(100))
    assert state is TurnState.CANCELLED
    turn = scene.turn(turn_id)
    assert (turn.state, turn.finish_reason, turn.error_message) == ("cancelled", "cancelled", "")
    assert turn.finished_at is not None
    assert len(scene.deliveries(turn_id)) == 1


def test_leases_that_ran_out_are_found_oldest_first(scene: Scene) -> None:
    ids = [scene.ask(scene.thread(f"thread {n}")) for n in range(3)]
    for wait, turn_id in zip((2, 0, 1), ids, strict=True):
        scene.run(turn_id, at=wait)
    with scene.store.read() as repositories:
        expired = repositories.turns.expired
        assert expired(after(LEASE_S), 10) == []
        assert [turn.id for turn in expired(after(LEASE_S + 1.5), 10)] == [ids[1], ids[2]]
        assert [turn.id for turn in expired(after(LEASE_S + 9), 1)] == [ids[1]]


def test_a_lost_worker_costs_one_failure_until_it_is_enough(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    states = []
    for attempt in (1, 2, 3):
        at = attempt * 100
        assert scene.run(turn_id, f"w{attempt}", at=at) == attempt
        with scene.store.write() as repositories:
            states.append(repositories.turns.reap(turn_id, attempt, 3, after(at + LEASE_S + 1), after(at + 20)))
    assert states == [TurnState.READY, TurnState.READY, TurnState.FAILED]
    turn = scene.turn(turn_id)
    assert (turn.state, turn.failures, turn.error_code) == ("failed", 3, "worker_lost")
    assert "ask again" in turn.error_message
    assert turn.finished_at == after(300 + LEASE_S + 1)
    assert len(scene.deliveries(turn_id)) == 1


def test_a_reaped_turn_waits_for_its_back_off(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    scene.run(turn_id)
    with scene.store.write() as repositories:
        assert repositories.turns.reap(turn_id, 1, 3, after(16), after(20)) is TurnState.READY
    assert (scene.turn(turn_id).error_message, scene.turn(turn_id).finished_at) == ("", None)
    assert scene.dispatchable(at=19) == []
    assert scene.dispatchable(at=20) == [turn_id]


def test_a_living_worker_is_not_reaped(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    scene.run(turn_id)
    with scene.store.write() as repositories:
        reap = repositories.turns.reap
        assert reap(turn_id, 1, 3, after(LEASE_S), after(20)) is None
        repositories.turns.heartbeat("worker", [(turn_id, 1)], after(30))
        assert reap(turn_id, 1, 3, after(29), after(40)) is None
        assert reap(turn_id, 0, 3, after(31), after(40)) is None
        assert reap("0" * 32, 1, 3, after(31), after(40)) is None
    assert scene.state(turn_id) == TurnState.RUNNING


def test_who_wakes_too_late_cannot_touch_the_next_attempt(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    scene.run(turn_id, "sleeper")
    with scene.store.write() as repositories:
        repositories.turns.reap(turn_id, 1, 3, after(16), after(16))
    assert scene.run(turn_id, "sleeper", at=17) == 2
    with pytest.raises(LostLease):
        scene.finish(turn_id, 1, ANSWER, owner="sleeper", at=18)
    with scene.store.write() as repositories:
        held, _ = repositories.turns.heartbeat("sleeper", [(turn_id, 1), (turn_id, 2)], after(33))
    assert held == {(turn_id, 2)}
    scene.finish(turn_id, 2, owner="sleeper", at=19)
    assert scene.state(turn_id) == TurnState.ANSWERED


def test_every_attempt_that_computed_is_paid_for(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    failure = Outcome(TurnState.FAILED, model="demo", prompt_tokens=10, completion_tokens=1)
    scene.finish(turn_id, scene.run(turn_id), failure)
    with scene.store.write() as repositories:
        repositories.turns.reopen(turn_id, after(2))
    scene.finish(turn_id, scene.run(turn_id, at=2), ANSWER, at=3)
    assert [(row.attempt, row.prompt_tokens) for row in usage(scene)] == [(1, 10), (2, 120)]
