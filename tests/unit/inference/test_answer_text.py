"""From ids to deltas: characters, tags and stop strings stay whole however the tokens cut them."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.inference.answer import AnswerText
from core.inference.detokenise import Detokeniser, StopStrings
from core.inference.port import Delta
from core.inference.thinking import ThinkingSplitter


def decode(ids: list[int]) -> str:
    """Ids are bytes of UTF-8."""
    return bytes(ids).decode("utf-8", "replace")


def pieces(text: str, cuts: list[int]) -> list[str]:
    """`text` cut at `cuts`."""
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


CUTS = st.lists(st.integers(0, 200), max_size=8)


@given(text=st.text(max_size=40))
def test_characters_come_whole_and_all(text: str) -> None:
    detokeniser = Detokeniser(decode)
    deltas = [detokeniser.add(byte) for byte in text.encode("utf-8", "ignore")] if text.isprintable() else []
    given_out = "".join([*deltas, detokeniser.end()])
    if deltas:
        assert given_out == text.rstrip("\ufffd")
        assert all(delta in text for delta in deltas)


@given(data=st.binary(max_size=40))
def test_any_bytes_give_what_decoding_all_of_them_gives(data: bytes) -> None:
    detokeniser = Detokeniser(decode)
    given_out = "".join([*(detokeniser.add(byte) for byte in data), detokeniser.end()])
    assert given_out == decode(list(data)).rstrip("\ufffd")


def test_a_character_is_held_until_it_is_complete() -> None:
    detokeniser = Detokeniser(decode)
    assert [detokeniser.add(byte) for byte in "a🙂b".encode()] == ["a", "", "", "", "🙂", "b"]
    assert detokeniser.end() == ""


def test_an_unfinished_character_is_dropped_at_the_end() -> None:
    detokeniser = Detokeniser(decode)
    shown = [detokeniser.add(byte) for byte in "né".encode()[:-1]]
    assert [*shown, detokeniser.end()] == ["n", "", ""]


def test_hidden_ids_are_no_text() -> None:
    detokeniser = Detokeniser(decode, frozenset({7}))
    assert "".join(detokeniser.add(id) for id in [7, 65, 7, 66, 7]) == "AB"


@given(
    text=st.text("abAB", max_size=30),
    stop=st.lists(st.text("abAB", min_size=1, max_size=4), min_size=1, max_size=3),
    cuts=CUTS,
)
def test_stop_strings_cut_at_the_first_however_it_comes(text: str, stop: list[str], cuts: list[int]) -> None:
    stopper = StopStrings(stop)
    shown = "".join([*(stopper.add(piece) for piece in pieces(text, cuts)), stopper.end()])
    # Which of two overlapping stop strings is seen first depends on the pieces; nothing of any of them is ever shown.
    hit = re.search("|".join(map(re.escape, sorted(stop))), text)
    assert stopper.hit == (hit is not None)
    assert text.startswith(shown)
    assert not any(string in shown for string in stop)
    if hit is None:
        assert shown == text


def test_text_before_a_stop_string_is_not_held_longer_than_needed() -> None:
    stopper = StopStrings(["END"])
    assert [stopper.add(piece) for piece in ["one E", "N", "x E", "ND two"]] == ["one ", "", "ENx ", ""]
    assert stopper.hit
    assert stopper.rest == " two"
    assert stopper.add("more") == ""


def split(text: str, cuts: list[int], opened: bool) -> tuple[str, str]:
    splitter = ThinkingSplitter(opened)
    deltas = [delta for piece in pieces(text, cuts) for delta in splitter.add(piece)] + splitter.end()
    assert all(delta.text for delta in deltas)
    kinds = [delta.kind for delta in deltas]
    assert kinds == sorted(kinds, reverse=True), "thinking comes before the answer"
    thinking, answer = ("".join(d.text for d in deltas if d.kind == kind) for kind in ("thinking", "answer"))
    return thinking, answer


@pytest.mark.parametrize(
    ("text", "opened", "thinking", "answer"),
    [
        ("<think>\nhm, a star\n</think>\n\nA star.", False, "hm, a star", "A star."),
        ("\n<think>hm</think>A star.", False, "hm", "A star."),
        ("hm</think>\nA star.", True, "hm", "A star."),
        ("\nA star.", False, "", "A star."),
        ("<think></think>\nA star.", False, "", "A star."),
        ("<think>hm and so on", False, "hm and so on", ""),
        ("hm and so <b", True, "hm and so <b", ""),
        ("<thin ice>", False, "", "<thin ice>"),
        ("<th", False, "", "<th"),
        ("The tag <think> opens, </think> closes.", False, "", "The tag <think> opens, </think> closes."),
        ("<think>a </thin b</think>c </think> d", False, "a </thin b", "c </think> d"),
        ("<think>hm</think>\n<answer>A star.</answer>", False, "hm", "A star."),
        ("hm</think><answer>A star.</answ", True, "hm", "A star.</answ"),
        ("<think>hm</think><answer>A</answer> star.", False, "hm", "A star."),
        ("<think>hm</think><answ", False, "hm", "<answ"),
        ("<think>hm</think>An <answer>.", False, "hm", "An <answer>."),
        ("<answer>A star.</answer>", False, "", "<answer>A star.</answer>"),
        ("", False, "", ""),
        ("", True, "", ""),
    ],
)
@given(cuts=CUTS)
def test_thinking_is_split_off(text: str, opened: bool, thinking: str, answer: str, cuts: list[int]) -> None:
    assert split(text, cuts, opened) == (thinking, answer)


def say(text: str, stop: tuple[str, ...] = (), thinking: bool = False) -> tuple[list[Delta], bool]:
    answer = AnswerText(decode, frozenset(), stop=stop, thinking=thinking)
    deltas: list[Delta] = []
    for byte in text.encode():
        deltas += answer.add(byte)
        if answer.stopped:
            return deltas, True
    return deltas + answer.end(), False


def test_the_answer_is_trimmed_as_it_streams() -> None:
    deltas, _ = say("\n A  star. \n")
    assert "".join(delta.text for delta in deltas) == "A  star."


def test_stop_strings_do_not_concern_the_thinking() -> None:
    deltas, stopped = say("one. two</think>three. four", stop=(".",), thinking=True)
    assert "".join(d.text for d in deltas if d.kind == "thinking") == "one. two"
    assert "".join(d.text for d in deltas if d.kind == "answer") == "three"
    assert stopped


def test_a_stop_string_of_white_space_ignores_the_white_space_before_the_answer() -> None:
    deltas, stopped = say("\nA star.\nMore.", stop=("\n",))
    assert "".join(delta.text for delta in deltas) == "A star."
    assert stopped


def test_a_stop_string_ends_the_answer_as_the_model_writes_it() -> None:
    deltas, stopped = say("cat: <|begin_of_box|>[[100,200,300,400]]<|end_of_box|> STOP dog", stop=("STOP",))
    assert stopped
    assert "".join(delta.text for delta in deltas) == "cat: (x 10–30 %, y 20–40 %)"


def test_what_a_thought_holds_back_comes_before_the_answer() -> None:
    deltas, _ = say("a < b [</think>So.", thinking=True)
    assert [(delta.kind, delta.text) for delta in deltas if delta.kind == "thinking"][-1] == ("thinking", "[")
    assert [delta.kind for delta in deltas] == sorted((delta.kind for delta in deltas), reverse=True)
    assert "".join(delta.text for delta in deltas) == "a < b [So."


def test_boxes_of_an_answer_are_counted_and_those_of_a_thought_are_not() -> None:
    box = "<|begin_of_box|>[[100,200,300,400]]<|end_of_box|>"
    answer = AnswerText(decode, frozenset(), thinking=True, box_pixels=(10, 10))
    for byte in f"{box}</think>cat: {box}".encode():
        answer.add(byte)
    answer.end()
    assert [box.label for box in answer.boxes] == ["cat"]
