"""Long answers in pieces: nothing lost, nothing too long, no code block left open."""

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bots.chat.split import LEAST, split, utf16_units

LIMITS = st.integers(LEAST, 400)
WORDS = st.sampled_from(
    ["a star", "and a cat.", "Why?", "是的。", "😀👍🏽", "e\u0301", "https://example.org", "y" * 90]
)
LINES = st.lists(WORDS, max_size=12).map(" ".join)
CODE = st.lists(LINES, max_size=12).map(lambda lines: "```py\n" + "\n".join(lines) + "\n```")
TILDES = st.lists(LINES, max_size=5).map(lambda lines: "~~~~\n" + "\n".join(lines) + "\n```\n~~~~")
TEXTS = st.lists(st.one_of(LINES, CODE, TILDES, st.just("\n")), max_size=12).map("\n\n".join)
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)


def is_balanced(text: str) -> bool:
    """Whether every code block that begins in it also ends in it."""
    mark = ""
    for found in FENCE.findall(text):
        if not mark:
            mark = found
        elif found.startswith(mark):
            mark = ""
    return not mark


@pytest.mark.parametrize("measure", [len, utf16_units])
@given(text=TEXTS, limit=LIMITS)
@example(text="", limit=LEAST)
def test_pieces_join_to_the_text_and_fit(measure: Callable[[str], int], text: str, limit: int) -> None:
    pieces = split(text, limit, measure)
    assert "".join(piece.text for piece in pieces) == text
    assert all(measure(piece.shown) <= limit for piece in pieces)
    assert all(is_balanced(piece.shown) for piece in pieces)


@given(text=st.text(max_size=900), limit=LIMITS)
def test_any_text_joins_and_fits(text: str, limit: int) -> None:
    pieces = split(text, limit, utf16_units)
    assert "".join(piece.text for piece in pieces) == text
    assert all(utf16_units(piece.shown) <= limit for piece in pieces)


def test_a_short_text_is_one_piece() -> None:
    assert [piece.shown for piece in split("A star.", LEAST)] == ["A star."]


def test_it_is_cut_between_paragraphs_before_lines_sentences_and_words() -> None:
    paragraph = "One two three. " * 8
    shown = [piece.shown for piece in split(f"{paragraph}\n\n{paragraph}\n\n{paragraph}", 300)]
    assert shown == [f"{paragraph}\n\n{paragraph}", paragraph]
    sentences = [piece.shown for piece in split("This is one sentence. " * 20, 200)]
    assert all(piece.endswith(". ") for piece in sentences)
    assert all(piece.shown.endswith("。") for piece in split("这是一颗星。" * 60, 200)[:-1])
    words = [piece.shown for piece in split("word " * 100, 201)]
    assert all(set(piece.split()) == {"word"} for piece in words)


def test_a_code_block_is_closed_and_opened_again_between_its_lines() -> None:
    code = "\n".join(f"line {number}" for number in range(100))
    first, second, *rest = (piece.shown for piece in split(f"Look:\n\n```py\n{code}\n```\n\nDone.", 300))
    assert first.endswith("\n```")
    assert second.startswith("```py\nline ")
    assert rest[-1].endswith("```\n\nDone.")


def test_a_character_of_several_code_points_stays_whole() -> None:
    family = "👨‍👩‍👧‍👦"
    assert {piece.shown.strip(family) for piece in split(family * 60, LEAST)} == {""}
    assert all(len(piece.shown) % len(family) == 0 for piece in split(family * 60, LEAST))


def test_a_limit_that_holds_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter than"):
        split("text", 10)


def test_telegram_counts_in_utf16() -> None:
    assert utf16_units("aé是") == 3
    assert utf16_units("😀") == 2
