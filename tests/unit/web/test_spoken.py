"""What a stream's client was told, and what a second attempt may add to it."""

from hypothesis import given
from hypothesis import strategies as st

from bots.web.openai_api.spoken import Spoken

PIECES = st.lists(st.text("ab \n", max_size=4), max_size=6)


def test_one_attempt_goes_straight_through() -> None:
    spoken = Spoken()
    assert [spoken.add("A "), spoken.add("star"), spoken.complete("A star")] == ["A ", "star", ""]


def test_a_contradiction_is_told() -> None:
    spoken = Spoken()
    spoken.add("A star")
    spoken.restart()
    assert spoken.add("A sta") == ""
    assert spoken.add("rk") == "k"
    spoken.restart()
    assert spoken.add("B") is None
    assert spoken.complete("B") is None


def test_white_space_around_the_whole_does_not_count() -> None:
    spoken = Spoken()
    spoken.add("\nA star")
    assert spoken.complete("A star in the sky") == " in the sky"
    spoken = Spoken()
    spoken.add(" A star \n")
    assert spoken.complete("A star") == ""


def test_words_that_were_never_stored_do_no_harm() -> None:
    spoken = Spoken()
    spoken.add("A star in")
    assert spoken.complete("A star") == ""
    assert spoken.complete("") == ""


@given(first=PIECES, second=PIECES, third=PIECES)
def test_what_was_sent_is_never_contradicted(first: list[str], second: list[str], third: list[str]) -> None:
    spoken = Spoken()
    sent = ""
    for attempt in (first, second, third):
        spoken.restart()
        for number in range(len(attempt)):
            new = spoken.add(attempt[number])
            so_far = "".join(attempt[: number + 1])
            if new is None:
                assert not so_far.startswith(sent)
                assert not sent.startswith(so_far)
                return
            sent += new
            assert spoken.text == sent
            assert sent.startswith(so_far)
    whole = "".join(third)
    rest = spoken.complete(whole)
    assert rest is not None
    assert (sent + rest).strip().startswith(whole.strip())
