"""Turns that are answered by a mind with eyes: what is stored, and what the next turn makes of it."""

from pathlib import Path

from core.errors import InferenceError
from core.inference.port import Request
from core.inference.scripted import Script
from core.store.database import Store
from core.values import TurnState, utc_now
from tests.integration.worker.workbench import workbench
from tests.unit.inference.eyes_pair import make_pair

STAR, CAT, BROKEN = b"a star", b"a cat", b"broken"


def texts(stored: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(seen["model"], seen["text"]) for seen in stored]


def test_the_transcript_says_what_the_eyes_saw_and_later_turns_read_it(store: Store, tmp_path: Path) -> None:
    pair = make_pair()
    with workbench(store, pair.engine, tmp_path) as bench:
        first = bench.answered("How many points?", "talk", [STAR])
        second = bench.answered("And this one?", "talk", [CAT, BROKEN])

    assert (first.state, first.answer, first.model) == (TurnState.ANSWERED, "Hm.", "mind")
    assert texts(first.observations) == [("eyes", "a star")]
    assert first.observations[0]["picture"] == first.attachments[0].blob_key
    assert texts(second.observations) == [("eyes", "a cat"), ("eyes", "")]
    # A worker that has just started knows all of it from SQL, and asks the mind for the same beginning.
    fresh = make_pair()
    with workbench(store, fresh.engine, tmp_path) as bench:
        third = bench.answered("What was in the first picture?", "talk")
    before, after = pair.mind.requests[-1].messages, fresh.mind.requests[-1].messages
    assert after[: len(before)] == before
    # Only the picture that the question is about, and the one that nobody could look at before.
    assert [message.pictures[0].data for r in fresh.eyes.requests for message in r.messages] == [BROKEN, STAR]
    assert texts(third.observations) == [("eyes", "a star"), ("eyes", "")]


def test_if_nothing_could_be_seen_the_turn_is_tried_again_and_then_fails_clearly(store: Store, tmp_path: Path) -> None:
    pair = make_pair()
    with workbench(store, pair.engine, tmp_path, max_failures=2, retry_base_s=0.001) as bench:
        turn_id = bench.ask(pictures=[BROKEN])
        bench.answerer.answer(turn_id)
        assert (bench.turn(turn_id).state, bench.turn(turn_id).error_code) == (TurnState.READY, "look_failed")
        with store.write() as repositories:
            repositories.turns.undispatch([turn_id])
        while bench.turn(turn_id).state == TurnState.READY:
            bench.answerer.answer(turn_id)
        turn = bench.turn(turn_id)

    assert (turn.state, turn.error_code, turn.observations) == (TurnState.FAILED, "look_failed", [])
    assert "could not be looked at" in turn.error_message
    assert pair.mind.requests == []


def test_what_was_seen_stays_when_the_mind_fails_and_is_used_when_asked_again(store: Store, tmp_path: Path) -> None:
    def fail_once(request: Request) -> Script:
        return Script("Five.", error=InferenceError("not now") if len(pair.mind.requests) == 1 else None)

    pair = make_pair(mind=fail_once)
    with workbench(store, pair.engine, tmp_path) as bench:
        failed = bench.answered("How many points?", "talk", [STAR])
        with store.write() as repositories:
            assert repositories.turns.reopen(failed.id, utc_now())
        reopened = bench.turn(failed.id)
        bench.answerer.answer(failed.id)
        turn = bench.turn(failed.id)

    assert (failed.state, texts(failed.observations)) == (TurnState.FAILED, [("eyes", "a star")])
    assert reopened.observations == []
    assert (turn.state, turn.answer, texts(turn.observations)) == (TurnState.ANSWERED, "Five.", [("eyes", "a star")])
    assert len(pair.eyes.requests) == 1
