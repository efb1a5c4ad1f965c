"""Where a search was found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.snippets import LONGEST, Piece, snippet
from core.store.words import index_words, runs_of, sought_words


def found(pieces: list[Piece]) -> list[str]:
    return [piece.text for piece in pieces if piece.found]


def test_the_words_are_marked_as_they_were_written() -> None:
    pieces = snippet("A Red star and a red Moon", runs_of("RED moon"))
    assert found(pieces) == ["Red", "red", "Moon"]
    assert "".join(piece.text for piece in pieces) == "A Red star and a red Moon"


def test_a_word_far_behind_is_brought_into_view() -> None:
    text = "word " * 200 + "needle " + "word " * 200
    pieces = snippet(text, runs_of("needle"))
    assert found(pieces) == ["needle"]
    assert pieces[0].text == "…"
    assert pieces[-1].text.endswith("…")
    assert sum(len(piece.text) for piece in pieces) <= LONGEST + 2


def test_chinese_is_marked_as_one() -> None:
    assert found(snippet("左上角的图片是什么颜色？", runs_of("图片 颜色"))) == ["图片", "颜色"]


@pytest.mark.parametrize("runs", [[], ["(", "[", "*"], ["x" * 500]])
def test_what_is_not_there_shows_the_beginning(runs: list[str]) -> None:
    assert snippet("short", runs) == [Piece("short", False)]
    assert snippet("", runs) == []


@given(st.text(max_size=600), st.text(max_size=30))
def test_any_text_and_any_search(text: str, asked: str) -> None:
    shown = "".join(piece.text for piece in snippet(text, runs_of(asked)))
    assert shown.strip("…") in text or "…" in text
    assert len(shown) <= LONGEST + 2


@given(st.text(max_size=300))
def test_a_text_is_found_by_itself(text: str) -> None:
    # By the space alone: there are letters (an Ogham mark) that Python takes for one.
    words = index_words(text).split(" ")
    for word, may_go_on in sought_words(text):
        assert word in words or (may_go_on and any(known.startswith(word) for known in words))
