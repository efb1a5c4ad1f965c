"""What must hold of every fitted prompt, whatever the conversation and the budget."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.conversation.budget import Fitted, PastExchange, fit
from core.errors import PromptTooLong
from core.inference.port import Message, Picture
from tests.unit.conversation.talk import count, keys, picture

_words = st.lists(
    st.sampled_from(["what", "red", "star", "the", "second", "first", "picture", "image", "2"]), max_size=9
)
_sentence = _words.map(" ".join)


@st.composite
def _past(draw: st.DrawFn) -> list[PastExchange]:
    exchanges = []
    for seq in range(1, draw(st.integers(0, 8)) + 1):
        pictures = tuple(picture(f"{seq}/{n}") for n in range(draw(st.integers(0, 3))))
        # Without an answer and without pictures there is nothing to show; `core.conversation.prompt` drops it.
        answer = draw(_sentence) if pictures else draw(_sentence) or "Yes."
        # Questions and answers name their turn, so that each can be found again in the prompt.
        exchanges.append(PastExchange(seq, f"q{seq} {draw(_sentence)}", f"a{seq} {answer}" if answer else "", pictures))
    return exchanges


_own = st.integers(0, 2).map(lambda n: tuple(picture(f"own/{k}") for k in range(n)))
_budget = st.integers(0, 1500)


@given(_sentence, _past(), _sentence, _own, _budget)
def test_laws(system: str, past: list[PastExchange], question: str, own: tuple[Picture, ...], budget: int) -> None:
    always = count(Message("user", question, own)) + (count(Message("system", system)) if system else 0)
    try:
        fitted = fit(system, past, question, own, budget, count)
    except PromptTooLong:
        assert always > budget
        return
    assert always <= budget
    assert sum(count(message) for message in fitted.messages) <= budget
    _question_is_kept(fitted, system, question, own)
    _roles_alternate(fitted, system)
    _texts_have_no_holes(fitted, past)
    _left_out_is_what_is_not_shown(fitted, past)
    _pictures_are_shown_once_and_in_order(fitted, past, own)


@given(_past(), _sentence, _budget)
def test_the_latest_picture_is_shown_whenever_it_fits_beside_the_question(
    past: list[PastExchange], question: str, budget: int
) -> None:
    latest = next((e.pictures[0] for e in reversed(past) if e.pictures), None)
    numbered = any(word in question for word in ("picture", "image"))
    room = budget - count(Message("user", question))
    if latest is None or numbered or room < count(Message("user", "", (latest,))):
        return

    fitted = fit("", past, question, (), budget, count)

    assert latest.key in _shown_pictures(fitted)


def _question_is_kept(fitted: Fitted, system: str, question: str, own: tuple[Picture, ...]) -> None:
    last = fitted.messages[-1]
    assert (last.role, last.text) == ("user", question)
    assert last.pictures[len(last.pictures) - len(own) :] == own
    if system:
        assert fitted.messages[0] == Message("system", system)


def _roles_alternate(fitted: Fitted, system: str) -> None:
    talk = fitted.messages[1:] if system else fitted.messages
    assert all(one.role != other.role for one, other in pairwise(talk))
    assert talk[0].role == "user"
    assert all(not message.pictures for message in talk if message.role == "assistant")


def _texts_have_no_holes(fitted: Fitted, past: list[PastExchange]) -> None:
    shown = _shown_texts(fitted, past)
    answered = [exchange.seq for exchange in past if exchange.answer]
    assert shown == answered[len(answered) - len(shown) :]


def _left_out_is_what_is_not_shown(fitted: Fitted, past: list[PastExchange]) -> None:
    texts, pictures = _shown_texts(fitted, past), _shown_pictures(fitted)
    expected: list[dict[str, object]] = []
    for exchange in past:
        if exchange.answer and exchange.seq not in texts:
            expected.append({"seq": exchange.seq, "what": "text"})
        if any(p.key not in pictures for p in exchange.pictures):
            expected.append({"seq": exchange.seq, "what": "pictures"})
    assert fitted.left_out == expected


def _pictures_are_shown_once_and_in_order(fitted: Fitted, past: list[PastExchange], own: tuple[Picture, ...]) -> None:
    all_of_them = [p.key for exchange in past for p in exchange.pictures] + [p.key for p in own]
    shown = _shown_pictures(fitted)
    assert shown == [key for key in all_of_them if key in shown]


def _shown_texts(fitted: Fitted, past: list[PastExchange]) -> list[int]:
    answers = {exchange.answer: exchange.seq for exchange in past if exchange.answer}
    return [answers[message.text] for message in fitted.messages if message.role == "assistant"]


def _shown_pictures(fitted: Fitted) -> list[str]:
    return [key for message in fitted.messages for key in keys(message)]
