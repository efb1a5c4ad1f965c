"""Fitting a conversation into a budget: examples whose numbers can be added up by hand."""

from dataclasses import replace

import pytest

from core.conversation.budget import PastExchange, fit
from core.errors import PromptTooLong
from core.inference.port import Message, Observation
from tests.unit.conversation.talk import count, keys, picture, said, texts

MUCH = 100_000


def test_all_of_a_short_conversation_is_shown() -> None:
    past = [said(1, "What is it?", "A star.", "sky"), said(2, "What colour?", "Red.")]

    fitted = fit("Be brief.", past, "And its size?", (), MUCH, count)

    assert fitted.messages == (
        Message("system", "Be brief."),
        Message("user", "What is it?", (picture("sky"),)),
        Message("assistant", "A star."),
        Message("user", "What colour?"),
        Message("assistant", "Red."),
        Message("user", "And its size?"),
    )
    assert fitted.left_out == []


def test_a_question_that_just_fits_is_taken_and_one_token_less_is_refused() -> None:
    question = Message("user", "one two three", (picture("a"),))
    exact = count(question) + count(Message("system", "Be brief."))

    fitted = fit("Be brief.", [said(1, "q", "a")], question.text, question.pictures, exact, count)

    assert fitted.messages == (Message("system", "Be brief."), question)
    assert fitted.left_out == [{"seq": 1, "what": "text"}]
    with pytest.raises(PromptTooLong):
        fit("Be brief.", [], question.text, question.pictures, exact - 1, count)


def test_the_newest_texts_stay() -> None:
    past = [said(n, f"q{n}", f"a{n}") for n in range(1, 6)]
    # Each exchange takes 2 + 1 + 2 + 1 tokens, the question 3.
    fitted = fit("", past, "now", (), 3 + 2 * 6 + 5, count)

    assert texts(fitted.messages) == [
        ("user", "q4"),
        ("assistant", "a4"),
        ("user", "q5"),
        ("assistant", "a5"),
        ("user", "now"),
    ]
    assert fitted.left_out == [{"seq": n, "what": "text"} for n in (1, 2, 3)]


def test_the_texts_have_no_hole_where_an_older_one_would_still_fit() -> None:
    past = [said(1, "short", "short"), said(2, "long " * 50, "long"), said(3, "q3", "a3")]

    fitted = fit("", past, "now", (), 30, count)

    assert texts(fitted.messages) == [("user", "q3"), ("assistant", "a3"), ("user", "now")]
    assert fitted.left_out == [{"seq": 1, "what": "text"}, {"seq": 2, "what": "text"}]


def test_the_latest_picture_stays_before_any_text() -> None:
    past = [said(1, "What is it?", "A star.", "old"), said(2, "And here?", "A cat.", "new"), said(3, "Big?", "Yes.")]

    fitted = fit("", past, "What colour is it?", (), 6 + 102, count)

    assert fitted.messages == (Message("user", "What colour is it?", (picture("new"),)),)
    assert fitted.left_out == [
        {"seq": 1, "what": "text"},
        {"seq": 1, "what": "pictures"},
        {"seq": 2, "what": "text"},
        {"seq": 3, "what": "text"},
    ]


def test_a_question_with_its_own_picture_needs_no_older_one_before_the_texts() -> None:
    past = [said(1, "What is it?", "A star.", "old"), said(2, "Big?", "Yes.")]
    own = (picture("own"),)

    fitted = fit("", past, "And this one?", own, count(Message("user", "And this one?", own)) + 20, count)

    assert [keys(message) for message in fitted.messages] == [[], [], [], [], [picture("own").key]]
    assert fitted.left_out == [{"seq": 1, "what": "pictures"}]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What was in the first picture?", "one"),
        ("the SECOND picture, what is it", "two"),
        ("Compare with the 2nd image.", "two"),
        ("What about image 2?", "two"),
        ("Look at photo #3 again", "three"),
        ("screenshot no. 1 please", "one"),
        ("and Picture number 3", "three"),
        ("in pic 2", "two"),
    ],
)
def test_a_picture_named_by_its_number_stays_before_the_texts(question: str, wanted: str) -> None:
    past = [said(1, "q", "a", "one"), said(2, "q", "a", "two"), said(3, "q", "a", "three"), said(4, "q " * 30, "a")]

    fitted = fit("", past, question, (), count(Message("user", question)) + 103, count)

    assert keys(fitted.messages[-1]) == [picture(wanted).key]
    assert {"seq": 4, "what": "text"} in fitted.left_out


@pytest.mark.parametrize(
    "question", ["What was in the ninth picture?", "image 0", "picture 77", "Are there 2 pictures?", "a picturesque 1"]
)
def test_a_number_that_names_no_picture_means_the_latest(question: str) -> None:
    past = [said(1, "q", "a", "one"), said(2, "q", "a", "two"), said(3, "q " * 30, "a")]

    fitted = fit("", past, question, (), count(Message("user", question)) + 103, count)

    assert keys(fitted.messages[-1]) == [picture("two").key]


def test_one_named_picture_of_many_stays_where_all_of_them_do_not_fit() -> None:
    past = [said(1, "Look.", "Ten pictures.", *(f"p{n}" for n in range(1, 11)))]

    fitted = fit("", past, "What is in picture 7?", (), 8 + 110, count)

    assert keys(fitted.messages[0]) == [picture("p7").key]
    assert {"seq": 1, "what": "pictures"} in fitted.left_out


def test_it_says_which_earlier_pictures_the_question_is_about() -> None:
    past = [said(1, "Look.", "Three.", "a", "b", "c"), said(2, "And?", "One.", "d")]

    def about(question: str, *own: str, budget: int = MUCH) -> list[str]:
        fitted = fit("", past, question, tuple(picture(name) for name in own), budget, count)
        names = {picture(name).key: name for name in "abcd"}
        return [names[key] for key in fitted.about]

    assert about("Compare picture 3 and picture 1.") == ["c", "a"]
    assert about("What colour is it?") == ["d"]
    assert about("What colour is it?", "own") == []
    assert about("Is it like picture 2?", "own") == ["b"]
    assert about("What colour is it?", budget=20) == [], "what is not shown cannot be looked at"


def test_what_was_seen_stays_with_its_picture_or_with_its_text() -> None:
    def seen(name: str, text: str) -> Observation:
        return Observation(picture(name).key, "eyes", text)

    first = replace(said(1, "Look.", "Two.", "a", "b"), observations=(seen("a", "A!"), seen("b", "B!")))
    second = replace(said(2, "And a?", "Red."), observations=(seen("a", "A is red."),))
    failed = replace(said(3, "Here.", "", "c"), observations=(seen("c", "C!"), seen("a", "A, too.")))

    fitted = fit("", [first, second, failed], "Compare.", (), MUCH, count)

    assert [[o.text for o in message.observations] for message in fitted.messages if message.role == "user"] == [
        ["A!", "B!"],
        ["A is red."],
        ["C!"],
    ]
    # Without room for the first turn's text and its pictures nothing of it is shown.
    little = count(Message("user", "Compare picture 2.")) + 102
    (asked,) = fit("", [first], "Compare picture 2.", (), little, count).messages
    assert [o.text for o in asked.observations] == ["B!"]


def test_pictures_keep_their_order_whichever_was_taken_first() -> None:
    past = [said(1, "Look.", "Three.", "a", "b", "c")]

    fitted = fit("", past, "Compare picture 3 and picture 1.", (), MUCH, count)

    assert keys(fitted.messages[0]) == [picture(name).key for name in "abc"]


def test_a_picture_that_is_too_large_does_not_push_out_the_texts() -> None:
    past = [said(1, "What is it?", "A star.", "sky")]

    fitted = fit("", past, "What colour is it?", (), 6 + 90, count)

    assert texts(fitted.messages) == [
        ("user", "What is it?"),
        ("assistant", "A star."),
        ("user", "What colour is it?"),
    ]
    assert fitted.left_out == [{"seq": 1, "what": "pictures"}]


def test_a_failed_turn_shows_no_words_and_its_pictures_go_with_the_next_question() -> None:
    past = [said(1, "What is it?", "", "lost"), said(2, "Again?", "A star.", "mine")]

    fitted = fit("", past, "Red?", (), MUCH, count)

    assert fitted.messages == (
        Message("user", "Again?", (picture("lost"), picture("mine"))),
        Message("assistant", "A star."),
        Message("user", "Red?"),
    )
    assert fitted.left_out == []


def test_the_long_question_of_a_failed_turn_takes_no_room() -> None:
    past = [said(1, "q", "a"), said(2, "long " * 500, "", "lost")]

    fitted = fit("", past, "Red?", (), 3 + 102 + 6, count)

    assert texts(fitted.messages) == [("user", "q"), ("assistant", "a"), ("user", "Red?")]
    assert keys(fitted.messages[-1]) == [picture("lost").key]
    assert fitted.left_out == []


def test_without_a_past_only_the_question_is_shown() -> None:
    past: list[PastExchange] = []

    assert fit("", past, "Hello", (), 3, count).messages == (Message("user", "Hello"),)
