"""What a human said goes into the prompt as an answer, in turn with questions, as chat templates want it."""

from core.conversation.prompt import exchanges_of
from core.store.models import Turn
from core.values import TurnState
from tests.unit.conversation.talk import picture, turn


def by_human(seq: int, question: str, answer: str, *pictures: str) -> Turn:
    said = turn(seq, question, answer, *pictures)
    said.answered_by = "anna"
    return said


def left(seq: int, question: str, *pictures: str) -> Turn:
    return turn(seq, question, "", *pictures, state=TurnState.HANDED_OVER)


def said(past: list[Turn]) -> list[tuple[str, str]]:
    return [(exchange.question, exchange.answer) for exchange in exchanges_of(past)]


def test_an_answer_of_a_humans_is_an_answer() -> None:
    assert said([by_human(1, "Hello?", "Good day.")]) == [("Hello?", "Good day.")]


def test_what_he_said_without_being_asked_belongs_to_the_answer_before() -> None:
    past = [turn(1, "A dress?", "A red one."), by_human(2, "", "We have it."), by_human(3, "", "In blue, too.")]
    assert said(past) == [("A dress?", "A red one.\n\nWe have it.\n\nIn blue, too.")]


def test_questions_that_he_answered_at_once_are_one_with_their_pictures() -> None:
    past = [left(1, "Is it this?", "sky"), left(2, "Or this?", "sea"), by_human(3, "Hello?", "The second.", "cat")]
    (exchange,) = exchanges_of(past)
    assert (exchange.question, exchange.answer) == ("Is it this?\nOr this?\nHello?", "The second.")
    assert [p.key for p in exchange.pictures] == [picture(name).key for name in ("sky", "sea", "cat")]


def test_of_what_he_left_unanswered_only_pictures_go_on() -> None:
    assert said([left(1, "Still there?"), left(2, "Hello?")]) == []
    (exchange,) = exchanges_of([left(1, "Still there?"), left(2, "Look", "sky")])
    assert (exchange.question, exchange.answer, len(exchange.pictures)) == ("Still there?\nLook", "", 1)


def test_what_he_left_goes_with_the_next_question_that_was_answered() -> None:
    assert said([left(1, "How much?"), turn(2, "Anybody?", "20 €.")]) == [("How much?\nAnybody?", "20 €.")]


def test_where_he_speaks_first_there_is_a_question_all_the_same() -> None:
    assert said([by_human(1, "", "Good day."), turn(2, "Hello?", "Hello.")]) == [
        ("…", "Good day."),
        ("Hello?", "Hello."),
    ]


def test_a_turn_that_failed_stays_as_it_is() -> None:
    past = [turn(1, "Broken?", "", "sky", state=TurnState.FAILED), by_human(2, "", "I see a sky.")]
    assert said(past) == [("Broken?", "I see a sky.")]
