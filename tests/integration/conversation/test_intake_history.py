"""Stateless clients bring their history: it is stored once, and found again by its digest."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

from core.conversation import digest
from core.conversation.prompt import HISTORY_TURNS
from core.store.models import Turn
from core.values import AttachmentState, Platform, TurnState
from tests.integration.conversation.asked import Desk, past, photo

API = {"platform": Platform.API, "person": "key:ann"}


def _digest(system: str, *turns: tuple[str, str]) -> str:
    so_far = digest.root(system)
    for question, answer in turns:
        so_far = digest.extend(so_far, question, [], answer)
    return so_far


def _shape(turn: Turn) -> tuple[int, str, str, str]:
    return turn.seq, turn.state, turn.question, turn.answer


def test_history_is_stored_before_the_question(desk: Desk) -> None:
    history = past(("What is it?", "A star.", [photo("sky")]), ("Red?", "Yes."))

    accepted = desk.accept("How big?", history=history, system_prompt="Be brief.", **API)

    turns = desk.turns(accepted.conversation_id)
    assert [_shape(turn) for turn in turns] == [
        (1, TurnState.DELIVERED, "What is it?", "A star."),
        (2, TurnState.DELIVERED, "Red?", "Yes."),
        (3, TurnState.READY, "How big?", ""),
    ]
    assert [(a.blob_key, a.state) for a in turns[0].attachments] == [(photo("sky").picture.key, AttachmentState.STORED)]
    assert desk.blobs.given == [b"sky"]
    assert desk.conversation(accepted).title == "What is it?"
    assert turns[1].history_hash == digest.extend(
        digest.extend(digest.root("Be brief."), "What is it?", [photo("sky").picture.key], "A star."),
        "Red?",
        [],
        "Yes.",
    )
    assert turns[2].history_hash == ""


def test_the_same_history_with_the_next_answer_goes_on_in_the_same_conversation(desk: Desk) -> None:
    first = desk.accept("What is it?", **API)
    desk.answer(first, "A star.", _digest("", ("What is it?", "A star.")))

    second = desk.accept("Red?", history=past((" What is it?\n", "A star. ")), **API)
    desk.answer(second, "Yes.", _digest("", ("What is it?", "A star."), ("Red?", "Yes.")))
    third = desk.accept("How big?", history=past(("What is it?", "A star."), ("Red?", "Yes.")), **API)

    assert first.conversation_id == second.conversation_id == third.conversation_id
    assert [turn.question for turn in desk.turns(first.conversation_id)] == ["What is it?", "Red?", "How big?"]


def test_imported_history_is_continued_too(desk: Desk) -> None:
    history = past(("What is it?", "A star."))
    first = desk.accept("Red?", history=history, **API)
    desk.answer(first, "Yes.", _digest("", ("What is it?", "A star."), ("Red?", "Yes.")))

    second = desk.accept("How big?", history=(*history, *past(("Red?", "Yes."))), **API)

    assert second.conversation_id == first.conversation_id
    assert len(desk.turns(first.conversation_id)) == 3


def test_going_back_branches_off_into_a_new_conversation(desk: Desk) -> None:
    first = desk.accept("What is it?", **API)
    desk.answer(first, "A star.", _digest("", ("What is it?", "A star.")))
    history = past(("What is it?", "A star."))
    desk.accept("Red?", history=history, **API)

    other = desk.accept("Blue?", history=history, **API)

    assert other.conversation_id != first.conversation_id
    assert [turn.question for turn in desk.turns(first.conversation_id)] == ["What is it?", "Red?"]
    assert [_shape(turn) for turn in desk.turns(other.conversation_id)] == [
        (1, TurnState.DELIVERED, "What is it?", "A star."),
        (2, TurnState.READY, "Blue?", ""),
    ]


def test_another_persons_identical_history_is_never_matched(desk: Desk) -> None:
    first = desk.accept("What is it?", **API)
    desk.answer(first, "A star.", _digest("", ("What is it?", "A star.")))

    eve = desk.accept("Red?", history=past(("What is it?", "A star.")), platform=Platform.API, person="key:eve")

    assert eve.conversation_id != first.conversation_id
    assert len(desk.turns(first.conversation_id)) == 1


def test_another_system_prompt_answer_or_picture_is_another_history(desk: Desk) -> None:
    first = desk.accept("What is it?", **API)
    desk.answer(first, "A star.", _digest("", ("What is it?", "A star.")))

    others = [
        desk.accept("Red?", history=past(("What is it?", "A star.")), system_prompt="Be brief.", **API),
        desk.accept("Red?", history=past(("What is it?", "A moon.")), **API),
        desk.accept("Red?", history=past(("What is it?", "A star.", [photo("sky")])), **API),
    ]

    assert first.conversation_id not in {other.conversation_id for other in others}


def test_history_is_not_imported_twice_into_a_named_thread(desk: Desk) -> None:
    history = past(("What is it?", "A star."))
    desk.accept("Red?", history=history, conversation="T1", **API)

    again = desk.accept("Blue?", history=history, conversation="T1", **API)

    assert [turn.question for turn in desk.turns(again.conversation_id)] == ["What is it?", "Red?", "Blue?"]


def test_a_repeated_request_with_history_stores_it_once(desk: Desk) -> None:
    history = past(("What is it?", "A star."))
    first = desk.accept("Red?", history=history, event_key="E1", **API)

    again = desk.accept("Red?", history=history, event_key="E1", **API)

    assert (again.turn_id, again.duplicate) == (first.turn_id, True)
    assert desk.rows()["turns"] == 2


def test_of_a_long_history_the_newest_turns_are_kept_and_it_is_found_by_all_of_it(desk: Desk) -> None:
    told = [(f"q{n}", f"a{n}") for n in range(HISTORY_TURNS + 50)]
    history = past(*((question, answer, [photo(question)]) for question, answer in told))

    first = desk.accept("and now?", history=history, **API)

    turns = desk.turns(first.conversation_id)
    assert [turn.seq for turn in turns] == list(range(1, HISTORY_TURNS + 2))
    assert [(turn.question, turn.answer) for turn in turns[:-1]] == told[50:]
    assert [turn.attachments[0].blob_key for turn in turns[:-1]] == [photo(q).picture.key for q, _ in told[50:]]
    assert [data.decode() for data in desk.blobs.given] == [question for question, _ in told[50:]]
    assert desk.conversation(first).title == "q0"

    # What a worker makes of the last stored digest is the digest of everything that the client will bring.
    so_far = digest.root("")
    for question, answer in told:
        so_far = digest.extend(so_far, question, [photo(question).picture.key], answer)
    assert turns[-2].history_hash == so_far
    desk.answer(first, "this", digest.extend(so_far, "and now?", [], "this"))
    second = desk.accept("and then?", history=(*history, *past(("and now?", "this"))), **API)
    assert second.conversation_id == first.conversation_id


def test_a_long_history_takes_no_more_statements_than_a_short_one(desk: Desk) -> None:
    """Other writers wait meanwhile."""

    def statements(turns: int) -> int:
        history = past(*((f"{turns}-{n}", "a", [photo(f"{n}")]) for n in range(turns)))
        with _counted() as seen:
            desk.accept("and now?", history=history, **API)
        return len(seen)

    desk.accept("first", **API)
    assert statements(2) == statements(150)


@contextmanager
def _counted() -> Iterator[list[str]]:
    seen: list[str] = []

    def count(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", count)
