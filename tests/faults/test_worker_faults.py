"""The worker dies, hangs on to nothing, and gives back what it cannot finish."""

import signal

import pytest

from core.queue.follow import Reset, Text
from core.values import TurnState
from tests.asking import Asker, ended
from tests.processes import PATIENCE_S, until

pytestmark = pytest.mark.faults

LONG = "[[tokens 60]] [[pace 20]]"
LONG_ANSWER = " ".join(f"word{n}" for n in range(1, 61))


def test_kill_in_mid_answer_is_answered_once_by_the_next_worker(asker: Asker) -> None:
    worker = asker.at.start_worker()
    turn_id = asker.ask(LONG)
    asker.wait_for_text(turn_id)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    asker.at.start_worker()

    (turn,) = asker.wait([turn_id])

    assert (turn.state, turn.answer, turn.attempt, turn.failures) == (TurnState.ANSWERED, LONG_ANSWER, 2, 1)
    assert len(asker.deliveries(turn_id)) == 1
    assert len(asker.usages(turn_id)) == 1
    events = asker.follow(turn_id)
    resets = [n for n, event in enumerate(events) if isinstance(event, Reset)]
    assert len(resets) == 2
    after_reset = "".join(e.text for e in events[resets[-1] :] if isinstance(e, Text))
    assert after_reset == LONG_ANSWER == ended(events).answer


def test_a_question_that_kills_workers_fails_clearly_and_alone(asker: Asker) -> None:
    poison = asker.ask("[[die]]", person="eve")
    for _ in range(3):
        assert asker.at.start("worker").wait(PATIENCE_S) == -signal.SIGKILL
    asker.at.start_worker()
    others = [asker.ask(f"question {n}") for n in range(3)]

    (failed,) = asker.wait([poison])
    answered = asker.wait(others)

    assert failed.state == TurnState.FAILED
    assert failed.error_code == "worker_lost"
    assert "ask again" in failed.error_message
    assert [turn.answer for turn in answered] == ["question 0", "question 1", "question 2"]


def test_a_question_that_kills_workers_takes_nobody_down_with_it(asker: Asker) -> None:
    """Asked together, they go down together; then they come back one at a time."""
    poison = asker.ask("[[slow 2]] [[die]] one two", person="eve")
    beside = [asker.ask("[[slow 3]] one two three", person=f"person {n}") for n in range(3)]
    for _ in range(3):
        assert asker.at.start("worker").wait(PATIENCE_S) == -signal.SIGKILL
    asker.at.start_worker()

    (failed,) = asker.wait([poison])
    answered = asker.wait(beside)

    assert (failed.state, failed.error_code, failed.failures) == (TurnState.FAILED, "worker_lost", 3)
    assert [(turn.state, turn.failures) for turn in answered] == [(TurnState.ANSWERED, 1)] * 3


def test_sigterm_gives_back_what_takes_too_long_and_finishes_the_rest(asker: Asker) -> None:
    worker = asker.at.start_worker(GLIMT_SHUTDOWN_GRACE_S="1.5")
    slow = asker.ask("[[hang]]", person="bob")
    short = asker.ask("[[slow 1]] one two three")
    asker.wait_for_text(slow)
    asker.wait_for_text(short)
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(30) == 0
    finished, given_back = asker.turn(short), asker.turn(slow)
    assert (finished.state, finished.attempt) == (TurnState.ANSWERED, 1)
    assert (given_back.state, given_back.attempt, given_back.failures) == (TurnState.READY, 1, 0)
    assert given_back.lease_owner == ""
    assert asker.at.workers() == set()


def test_the_given_back_turn_goes_to_the_next_worker(asker: Asker) -> None:
    worker = asker.at.start_worker(GLIMT_SHUTDOWN_GRACE_S="0")
    turn_id = asker.ask(LONG)
    asker.wait_for_text(turn_id)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    asker.at.start_worker()

    (turn,) = asker.wait([turn_id])

    assert (turn.state, turn.answer, turn.attempt, turn.failures) == (TurnState.ANSWERED, LONG_ANSWER, 2, 0)


def test_a_stopped_process_that_wakes_after_its_lease_writes_nothing(asker: Asker) -> None:
    """The fence: a worker frozen past its lease finds its turn answered by another and drops its own work."""
    frozen = asker.at.start_worker()
    turn_id = asker.ask(LONG)
    asker.wait_for_text(turn_id)
    frozen.send_signal(signal.SIGSTOP)
    asker.at.start_worker()
    (turn,) = asker.wait([turn_id])
    frozen.send_signal(signal.SIGCONT)
    # Its log says that it noticed; only then has it had its chance to do harm.
    log = asker.at.folder / "worker-0.log"
    until(lambda: "lease_lost" in log.read_text(), "the frozen worker notices")

    after = asker.turn(turn_id)

    assert (turn.attempt, after.attempt, after.answer) == (2, 2, LONG_ANSWER)
    assert len(asker.deliveries(turn_id)) == 1
    assert len(asker.usages(turn_id)) == 1
