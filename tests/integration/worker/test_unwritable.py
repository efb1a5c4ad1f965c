"""Answers that the database cannot keep: the turn ends all the same, and never escapes its attempt."""

from pathlib import Path

import pytest

from core.conversation.boxes import Box
from core.inference.port import Delta, Finished, Request
from core.inference.scripted import Script, ScriptedEngine
from core.store.database import Store
from core.values import FinishReason, TurnState
from tests.integration.worker.workbench import workbench
from worker.draft import Draft
from worker.held import Stop


def saying(answer: str, thinking: str = "") -> ScriptedEngine:
    return ScriptedEngine(lambda _: Script(answer, thinking))


def test_a_nul_in_an_answer_is_left_out(store: Store, tmp_path: Path) -> None:
    with workbench(store, saying("a st\0ar \0", "five\0 points"), tmp_path) as bench:
        turn = bench.answered()

    assert (turn.state, turn.answer, turn.thinking) == (TurnState.ANSWERED, "a star", "five points")


def test_what_is_shown_live_is_what_is_kept() -> None:
    draft = Draft("demo")

    shown = [draft.take(Delta(text)) for text in ("a ", "\0", "st\0ar")]

    assert shown == ["a ", "", "star"]
    assert draft.take(Finished(FinishReason.STOP, 3)) == ""
    assert draft.text == "a star"


def test_boxes_are_kept_as_rows_without_what_cannot_be_written() -> None:
    draft = Draft("demo")
    draft.take(Delta("cat"))
    draft.take(Finished(FinishReason.STOP, 3, boxes=(Box("c\0at", 0.1, 0.2, 0.3, 0.4),)))

    kept = {"label": "cat", "left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4}
    assert draft.outcome(TurnState.ANSWERED).boxes == (kept,)
    assert draft.without_text().outcome(TurnState.FAILED).boxes == ()


# Half of a surrogate pair is no Unicode text: neither database, nor UTF-8, can write it.
@pytest.mark.parametrize("thinking", ["", "half \ud83d"])
def test_an_answer_that_cannot_be_written_fails_clearly(store: Store, tmp_path: Path, thinking: str) -> None:
    with workbench(store, saying("" if thinking else "half \ud83d", thinking), tmp_path) as bench:
        turn = bench.answered()
        held = bench.held.attempts()

    assert (turn.state, turn.error_code, turn.attempt) == (TurnState.FAILED, "inference", 1)
    assert "try again" in turn.error_message
    assert (turn.answer, turn.thinking, turn.lease_owner) == ("", "", "")
    assert turn.prompt_tokens > 0, "what it cost is kept"
    assert held == set()


def test_stop_of_an_answer_that_cannot_be_written_is_a_stop(store: Store, tmp_path: Path) -> None:
    def script(request: Request) -> Script:
        # Takes effect when the engine waits for the first time: behind its first word.
        bench.held.stop_all(Stop.CANCELLED)
        return Script("\ud83d", then="hang")

    with workbench(store, ScriptedEngine(script), tmp_path) as bench:
        turn = bench.answered()

    assert (turn.state, turn.answer, turn.lease_owner) == (TurnState.CANCELLED, "", "")
