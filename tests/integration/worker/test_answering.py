"""What a worker process makes of turns: real Celery, real Valkey, real SQLite; only the model is scripted."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from core.queue.cancel import request_cancel
from core.queue.follow import Retrying, Text
from core.store.models import Turn
from core.values import AttachmentState, TurnState
from tests.asking import Asker, ended
from tests.processes import installation


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """One installation and one worker for the tests of this file."""
    folder: Path = tmp_path_factory.mktemp("answering")
    with installation(folder, GLIMT_QUESTION_MAX_CHARS="100000") as made:
        made.start_worker(GLIMT_WORKER_SLOTS="8")
        yield Asker(made)


def cancel(asker: Asker, turn_id: str) -> TurnState | None:
    return request_cancel(asker.at.store, asker.at.redis, turn_id, 60)


def test_an_answer_is_stored_with_tokens_timings_and_one_usage_row(asker: Asker) -> None:
    (turn,) = asker.wait([asker.ask("what is this")])

    assert (turn.state, turn.answer, turn.finish_reason) == (TurnState.ANSWERED, "what is this", "stop")
    assert turn.model.startswith("scripted")
    assert turn.prompt_tokens > 0
    assert turn.completion_tokens == 3
    times = [turn.created_at, turn.ready_at, turn.started_at, turn.first_token_at, turn.finished_at]
    assert all(time is not None for time in times)
    assert times == sorted(times, key=lambda time: time or turn.created_at)
    (usage,) = asker.usages(turn.id)
    assert (usage.prompt_tokens, usage.completion_tokens) == (turn.prompt_tokens, 3)
    assert turn.lease_owner == ""


def test_turns_of_a_conversation_run_in_order_and_see_what_was_said(asker: Asker) -> None:
    asked = [asker.ask(f"[[slow 0.2]] question {n}", thread="in order") for n in range(4)]

    turns = asker.wait(asked)

    for earlier, later in pairwise(turns):
        assert earlier.finished_at is not None
        assert later.started_at is not None
        assert earlier.finished_at <= later.started_at
        assert later.prompt_tokens > earlier.prompt_tokens, "the history is part of the prompt"


def test_conversations_run_at_the_same_time(asker: Asker) -> None:
    asked = [asker.ask("[[hang]]", thread=f"parallel {n}", person=f"person {n}") for n in range(4)]
    for turn_id in asked:
        asker.wait_for_text(turn_id)

    assert [asker.turn(turn_id).state for turn_id in asked] == [TurnState.RUNNING] * 4

    for turn_id in asked:
        cancel(asker, turn_id)
    asker.wait(asked)


def test_thinking_is_kept_apart_from_the_answer(asker: Asker) -> None:
    turn_id = asker.ask("[[think]] hello")
    (turn,) = asker.wait([turn_id])

    assert turn.thinking == "Let me think."
    assert "Let me think" not in turn.answer
    kinds = {event.kind for event in asker.follow(turn_id) if isinstance(event, Text)}
    assert kinds == {"text", "think"}


def test_stop_ends_a_running_answer_and_keeps_what_was_said(asker: Asker) -> None:
    turn_id = asker.ask("[[tokens 1000]] [[pace 20]]")
    asker.wait_for_text(turn_id)

    assert cancel(asker, turn_id) is TurnState.RUNNING
    (turn,) = asker.wait([turn_id])

    assert (turn.state, turn.finish_reason) == (TurnState.CANCELLED, "cancelled")
    assert turn.answer.startswith("word1")
    assert "word1000" not in turn.answer
    assert ended(asker.follow(turn_id)).id == turn_id


def test_stop_works_when_its_poke_is_lost(asker: Asker) -> None:
    turn_id = asker.ask("[[hang]]")
    asker.wait_for_text(turn_id)
    with asker.at.store.write() as repositories:
        # The flag alone, as when Redis was away in the moment of the request.
        repositories.turns.request_cancel(turn_id, asker.turn(turn_id).created_at)

    (turn,) = asker.wait([turn_id])

    assert turn.state == TurnState.CANCELLED


def test_stop_of_a_waiting_turn_takes_effect_at_once(asker: Asker) -> None:
    first = asker.ask("[[hang]]", thread="waiting")
    asker.wait_for_text(first)
    second = asker.ask("never asked", thread="waiting")

    assert cancel(asker, second) is TurnState.CANCELLED
    assert ended(asker.follow(second)).answer == ""
    cancel(asker, first)
    asker.wait([first])
    assert asker.turn(second).attempt == 0


def test_a_retryable_failure_is_tried_again(asker: Asker) -> None:
    turn_id = asker.ask("[[fail-once]] and then it works")
    (turn,) = asker.wait([turn_id])

    assert turn.state == TurnState.ANSWERED
    assert (turn.attempt, turn.failures) == (2, 1)
    assert any(isinstance(event, Retrying) for event in asker.follow(turn_id))


def test_a_failure_is_clear_and_the_next_question_is_answered(asker: Asker) -> None:
    failed, following = asker.ask("[[fail]]", thread="failing"), asker.ask("still there?", thread="failing")

    turns = asker.wait([failed, following])

    assert [turn.state for turn in turns] == [TurnState.FAILED, TurnState.ANSWERED]
    assert (turns[0].error_code, turns[0].attempt) == ("inference", 1)
    assert "try again" in turns[0].error_message
    assert "scripted" not in turns[0].error_message, "nothing internal reaches the user"


def test_a_question_beyond_the_context_says_so(asker: Asker) -> None:
    (turn,) = asker.wait([asker.ask("x " * 9000)])

    assert (turn.state, turn.error_code) == (TurnState.FAILED, "prompt_too_long")


def test_missing_picture_bytes_fail_that_turn_alone(asker: Asker) -> None:
    turn_id = asker.accept("what is this?").turn_id
    with asker.at.store.write() as repositories:
        repositories.attachments.add(turn_id, 0, state=AttachmentState.STORED, blob_key="ab" * 32, width=8, height=8)
    asker.dispatcher.announce()

    lost, fine = asker.wait([turn_id, asker.ask("and this?")])

    assert (lost.state, lost.error_code) == (TurnState.FAILED, "not_found")
    assert fine.state == TurnState.ANSWERED


def test_what_the_budget_left_out_is_recorded(asker: Asker) -> None:
    long = "word " * 2500
    asked = [asker.ask(f"{long}{n}", thread="long") for n in range(3)]

    turns: list[Turn] = asker.wait(asked)

    assert turns[0].left_out == []
    assert {"seq": 1, "what": "text"} in turns[2].left_out
