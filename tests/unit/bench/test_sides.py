"""A side's process: asked through a pipe, and what becomes of one that fails."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.engine.lineup import OPENVINO, OURS, VLLM, Lineup, Start, find_start
from bench.engine.process import SideFailed, SideProcess
from bench.engine.workload import Ask, Conversation, Say

PROGRAM = "tests.unit.bench.sides"
ASKS = [Ask((Say("user", "late"),), 5, at_s=0.05), Ask((Say("user", "a"), Say("assistant", "b"), Say("user", "c")), 6)]


def start(folder: Path, do: str) -> SideProcess:
    return SideProcess(PROGRAM, {"do": do}, python=Path(sys.executable), env={}, log=folder / "log")


@pytest.fixture
def lineup(tmp_path: Path) -> Iterator[Lineup]:
    starts = {OURS: Start(PROGRAM, options={"do": "fail"}), VLLM: Start(PROGRAM, options={"do": "fail"})}
    lineup = Lineup({**starts, OPENVINO: Start(PROGRAM, absent="not set up")}, {}, tmp_path, keep=True)
    yield lineup
    lineup.close()


def test_answers_come_in_the_order_of_the_asks_and_not_before_they_arrive(tmp_path: Path) -> None:
    side = start(tmp_path, "work")
    try:
        rounds = [side.run(ASKS), side.run(ASKS[1:])]
    finally:
        side.close()
    assert [[(a.tokens, a.text) for a in round.answers] for round in rounds] == [[(5, "1"), (6, "3")], [(6, "3")]]
    assert rounds[0].answers[0].first_s >= 0.05
    assert rounds[0].seconds >= 0.05
    assert rounds[0].arrived_s == [0.05, 0.0]
    assert rounds[0].counters == {"prefix_tokens_asked": 7}
    assert side.peak_mb > 1
    log = (tmp_path / "log").read_text()
    assert "a library that talks" in log
    assert log.count("closed") == 1


def test_a_side_that_does_not_load_says_why(tmp_path: Path) -> None:
    with pytest.raises(SideFailed, match=r"RuntimeError: no such weights"):
        start(tmp_path, "not load")


def test_a_side_that_dies_shows_what_it_wrote_last(tmp_path: Path) -> None:
    side = start(tmp_path, "die")
    with pytest.raises(SideFailed, match=r"ended: .*a library that talks"):
        side.run(ASKS)
    with pytest.raises(SideFailed):
        side.run(ASKS)


def test_a_peer_that_fails_is_absent_and_the_others_go_on(lineup: Lineup) -> None:
    assert lineup.present(VLLM, OPENVINO) == [VLLM]
    with lineup.using(VLLM) as process:
        process.run(ASKS)
    assert lineup.present(VLLM, OPENVINO) == []
    assert "ValueError: a bad picture" in lineup.absent[VLLM]


def test_ours_failing_ends_the_measurement(lineup: Lineup) -> None:
    with pytest.raises(SideFailed, match="a bad picture"):
        with lineup.using(OURS) as process:
            process.run(ASKS)


@pytest.mark.parametrize("side", [VLLM, OPENVINO])
def test_peers_without_their_environment_are_absent(side: str, tmp_path: Path) -> None:
    def find(device: str) -> Start:
        return find_start(side, "model", threads=1, device=device, say=print, peers=tmp_path)

    assert find("cpu").absent == "not set up: make bench-peers"
    assert "CPUs only" in find("cuda").absent


def test_a_conversation_holds_what_was_answered() -> None:
    talk = Conversation(4)
    talk.answered("Noise.")
    ask = talk.ask(9, conversation="here", pictures_of="there")
    assert [say.role for say in ask.messages] == ["user", "assistant", "user"]
    assert [len(messages) for messages in talk.turns()] == [1, 3]
    assert (ask.messages[0].picture, ask.conversation, ask.pictures_of, ask.new_tokens) == (4, "here", "there", 9)
