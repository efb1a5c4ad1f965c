"""A conversation that a human answers: the model gets nothing of it, whatever happens at the same moment."""

from core.store.outcome import Outcome
from core.values import TurnState
from tests.integration.store.scene import Scene, after
from tests.integration.store.test_turn_races import at_once


def hand_over(scene: Scene, thread: str, at: float = 1) -> tuple[bool, list[str]]:
    with scene.store.write() as repositories:
        changed = repositories.conversations.hand_over(thread, after(at))
    with scene.store.write() as repositories:
        return changed, [turn_id for turn_id, _ in repositories.turns.hand_over(thread, after(at))]


def test_what_waits_is_left_to_the_human_and_what_ran_or_ended_stays(scene: Scene) -> None:
    thread, other = scene.thread(), scene.thread("other")
    done, running = scene.answered(thread), scene.ask(thread)
    attempt = scene.run(running)
    ready, gathering = scene.ask(thread, person="bob"), scene.ask(thread, state=TurnState.GATHERING)
    elsewhere = scene.ask(other)
    assert hand_over(scene, thread) == (True, [ready, gathering])
    assert hand_over(scene, thread) == (False, [])
    states = [scene.state(turn_id) for turn_id in (done, running, ready, gathering, elsewhere)]
    assert states == ["answered", "running", "handed_over", "handed_over", "ready"]
    assert [len(scene.deliveries(turn_id)) for turn_id in (ready, gathering)] == [1, 1]
    assert scene.turn(ready).finished_at == after(1)
    # What was running may end.
    scene.finish(running, attempt, Outcome(TurnState.CANCELLED, answer="A st"))


def test_nothing_of_it_is_announced_claimed_or_asked_again(scene: Scene) -> None:
    thread = scene.thread()
    failed = scene.ask(thread)
    scene.finish(failed, scene.run(failed), Outcome(TurnState.FAILED))
    hand_over(scene, thread)
    asked, gathering = scene.ask(thread, at=2), scene.ask(thread, at=2, state=TurnState.GATHERING)
    with scene.store.write() as repositories:
        assert not repositories.turns.make_ready(gathering, after(3))
        assert not repositories.turns.reopen(failed, after(3))
    assert [scene.state(turn_id) for turn_id in (asked, gathering)] == ["handed_over"] * 2
    assert scene.dispatchable(9) == []
    assert scene.claim(asked, at=9) is None
    # Nobody is told that it was asked: the bot is silent.
    assert scene.deliveries(asked) == []


def test_the_guard_of_the_claim_stands_alone(scene: Scene) -> None:
    thread = scene.thread()
    waiting = scene.ask(thread)
    with scene.store.write() as repositories:
        repositories.conversations.hand_over(thread, after(1))
    assert scene.state(waiting) == TurnState.READY
    assert scene.claim(waiting, at=2) is None


def test_after_its_release_the_model_answers_what_is_asked_then(scene: Scene) -> None:
    thread = scene.thread()
    before = scene.ask(thread)
    hand_over(scene, thread)
    with scene.store.write() as repositories:
        assert repositories.conversations.release(thread)
        assert not repositories.conversations.release(thread)
    now = scene.ask(thread, at=3)
    assert (scene.state(before), scene.state(now)) == ("handed_over", "ready")
    assert scene.dispatchable(4) == [now]


def test_questions_at_the_same_moment_are_all_left_to_the_human(scene: Scene) -> None:
    thread = scene.thread()

    def act(number: int) -> None:
        if number == 5:
            hand_over(scene, thread)
        else:
            scene.ask(thread, f"question {number}")

    at_once(act, 10)
    with scene.store.read() as repositories:
        turns = repositories.turns.of_conversation(thread)
    assert [turn.state for turn in turns] == ["handed_over"] * 9
