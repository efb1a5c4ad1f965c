"""Text and names from strangers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound
from core.values import new_id
from serving.addresses import is_loopback
from serving.text import FILE_NAME_CHARS, clean, file_name, known_id, plain_lines


def test_what_no_database_stores_is_replaced() -> None:
    assert clean("a\0b") == "ab"
    assert clean("\ud83d\ude00 \ud800 \udc00x") == "😀 \ufffd \ufffdx"


@given(st.text(st.characters(codec=None, exclude_characters="\0")))
def test_cleaned_text_can_always_be_stored(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.encode().decode() == cleaned
    assert clean(cleaned) == cleaned


# The names of tests must be the same in every process that runs some of them.
ID = "0193" + "c5" * 14


@pytest.mark.parametrize("text", ["a\nb\n\nc", "a\r\nb\r\n\r\nc", "a\rb\r\rc", "a\r\nb\n\rc"])
def test_every_line_end_is_one_newline(text: str) -> None:
    assert plain_lines(text) == "a\nb\n\nc"


@given(st.text(max_size=400))
def test_a_file_name_is_one_printable_line(name: str) -> None:
    shown = file_name(name)
    assert 0 < len(shown) <= FILE_NAME_CHARS
    assert shown.isprintable()
    assert "/" not in shown
    assert "\\" not in shown


@pytest.mark.parametrize("text", ["", "x", ID.upper() + "A", ID + "0", ID[:-1] + "\n", "٠" * 32])
def test_what_cannot_be_an_id_is_not_looked_up(text: str) -> None:
    with pytest.raises(NotFound):
        known_id(text)


def test_an_id_is_an_id() -> None:
    made = new_id()
    assert known_id(made) == made


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LocalHost.", True),
        ("glimt.localhost", True),
        ("127.0.0.1", True),
        ("127.255.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("notlocalhost", False),
        ("2130706433", False),
    ],
)
def test_what_means_this_machine(host: str, local: bool) -> None:
    assert is_loopback(host) is local
