"""The words of reviewing: names, texts, rules, samples."""

import pytest

from core.errors import WrongParameter
from core.reviewing import Rule, checked_name, checked_rule, checked_text, folded, in_sample, said
from core.values import new_id

IDS = [new_id() for _ in range(4000)]


def test_a_sample_has_about_its_share_and_is_the_same_each_time() -> None:
    for percent in (1, 5, 50):
        found = [turn_id for turn_id in IDS if in_sample(turn_id, percent)]
        assert found == [turn_id for turn_id in IDS if in_sample(turn_id, percent)]
        # Four standard deviations.
        spread = 4 * (len(IDS) * percent / 100 * (1 - percent / 100)) ** 0.5
        assert abs(len(found) - len(IDS) * percent / 100) < spread


def test_a_larger_sample_only_adds() -> None:
    before: set[str] = set()
    for percent in (0.01, 0.5, 1, 2.5, 20, 99.9, 100):
        now = {turn_id for turn_id in IDS if in_sample(turn_id, percent)}
        assert before <= now
        before = now
    assert before == set(IDS)


def test_names_are_tidied_and_told_apart_by_more_than_their_case() -> None:
    assert checked_name("label", "  Wrong \t colour ") == "Wrong colour"
    assert folded("STRASSE") == folded("straße")
    assert folded("Ｗｉｄｅ") == folded("wide")
    assert folded("颜色") != folded("形状")


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\x00b", "a\u202eb"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(WrongParameter, match="1 to 64 printable characters"):
        checked_name("label", name)


def test_texts_have_a_length() -> None:
    assert checked_text("note", " a\r\nb ", 3) == "a\nb"
    assert checked_text("note", "  ", 3, empty=True) == ""
    with pytest.raises(WrongParameter, match="4 characters; at most 3"):
        checked_text("note", "abcd", 3)
    with pytest.raises(WrongParameter, match="Write the note first"):
        checked_text("note", " ", 3)


def test_rules_say_what_they_need() -> None:
    assert checked_rule("failed") == (Rule.FAILED, {})
    assert checked_rule("slow", seconds="2.5", percent="x") == (Rule.SLOW, {"seconds": 2.5})
    assert checked_rule("sample", percent="100") == (Rule.SAMPLE, {"percent": 100.0})
    assert checked_rule("labelled", label="1") == (Rule.LABELLED, {"label": "1"})
    words = [said(kind, {"seconds": 2.5, "percent": 5.0, "label": "1"}, "Odd") for kind in Rule]
    assert len(set(words)) == len(Rule)
    assert "slower than 2.5 s" in words


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        ("mars", {}, "no rule"),
        ("slow", {}, "seconds"),
        ("slow", {"seconds": "0"}, "seconds"),
        ("slow", {"seconds": "nan"}, "seconds"),
        ("sample", {"percent": "100.1"}, "percent"),
        ("sample", {"percent": "-1"}, "percent"),
        ("sample", {"percent": "inf"}, "percent"),
        ("labelled", {}, "Choose the label"),
    ],
)
def test_a_rule_without_sense_is_refused(kind: str, given: dict[str, str], says: str) -> None:
    with pytest.raises(WrongParameter, match=says):
        checked_rule(kind, **given)
