"""What a correction changed."""

import pytest

from admin.diff import MOST, changes


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A red star.", "A blue star!"),
        ("左上角是红色的星星", "左上角是蓝色的星星"),
        ("a\n\nb", "a\nb c"),
        ("same", "same"),
        ("<b>x</b>", "x"),
    ],
)
def test_both_texts_can_be_made_of_the_changes(old: str, new: str) -> None:
    told = changes(old, new)
    assert "".join(change.text for change in told if change.kind != "new") == old
    assert "".join(change.text for change in told if change.kind != "old") == new


def test_a_changed_word_stands_alone() -> None:
    assert ("old", "red") in changes("A red star.", "A blue star.")
    assert [change.text for change in changes("红色的星", "蓝色的星") if change.kind == "new"] == ["蓝"]


def test_what_is_too_long_to_compare_or_empty_is_not_compared() -> None:
    assert changes("a " * MOST, "b") == []
    assert changes("", "b") == []
    assert changes("a", "") == []
