"""The same again at the same moment: platforms repeat what was not acknowledged, programs send the same history."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from core.conversation import digest
from core.conversation.erasure import erase_person
from core.conversation.inbound import Accepted
from core.errors import EventKeyReused, QuestionErased
from core.values import Platform, utc_now
from tests.integration.conversation.asked import Desk, past, photo

AT_ONCE = 20


def test_the_same_event_is_the_same_turn(desk: Desk) -> None:
    first = desk.accept("once", event_key="E1", pictures=(photo("one"),))
    again = desk.accept("once", event_key="E1", pictures=(photo("one"),))

    assert (again.turn_id, again.conversation_id, again.person_id) == (
        first.turn_id,
        first.conversation_id,
        first.person_id,
    )
    assert (first.duplicate, again.duplicate) == (False, True)
    assert desk.rows() == {"people": 1, "conversations": 1, "turns": 1, "attachments": 1, "events": 1}


def test_event_keys_of_different_platforms_are_different_events(desk: Desk) -> None:
    accepted = [desk.accept("once", event_key="E1", platform=platform) for platform in Platform]

    assert len({a.turn_id for a in accepted}) == len(Platform)


def test_the_same_key_with_other_content_is_refused_and_changes_nothing(desk: Desk) -> None:
    first = desk.accept("once", event_key="E1", content_hash="a" * 64)
    before = desk.rows()

    for other in ("b" * 64, ""):
        with pytest.raises(EventKeyReused, match="Use a new one"):
            desk.accept("another", event_key="E1", content_hash=other)

    assert desk.rows() == before
    assert desk.accept("once", event_key="E1", content_hash="a" * 64).turn_id == first.turn_id


def test_of_two_contents_under_one_key_at_the_same_moment_one_is_taken(desk: Desk) -> None:
    barrier = Barrier(AT_ONCE)

    def accept(n: int) -> Accepted | EventKeyReused:
        barrier.wait()
        try:
            return desk.accept("once", event_key="E1", content_hash="ab"[n % 2] * 64)
        except EventKeyReused as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(accept, range(AT_ONCE)))

    taken = [n % 2 for n, result in enumerate(results) if isinstance(result, Accepted)]
    assert len(taken) == AT_ONCE // 2
    assert len(set(taken)) == 1
    assert desk.rows() == {"people": 1, "conversations": 1, "turns": 1, "attachments": 0, "events": 1}


@pytest.mark.parametrize("thread", ["T1", None])
def test_twenty_threads_with_one_event_make_one_turn(desk: Desk, thread: str | None) -> None:
    barrier = Barrier(AT_ONCE)

    def accept(_: int) -> Accepted:
        barrier.wait()
        return desk.accept("once", event_key="E1", conversation=thread, pictures=(photo("one"),))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        accepted = list(pool.map(accept, range(AT_ONCE)))

    assert len({a.turn_id for a in accepted}) == 1
    assert sorted(a.duplicate for a in accepted) == [False] + [True] * (AT_ONCE - 1)
    assert desk.rows() == {"people": 1, "conversations": 1, "turns": 1, "attachments": 1, "events": 1}


def test_twenty_first_questions_of_one_thread_make_one_conversation_in_order(desk: Desk) -> None:
    barrier = Barrier(AT_ONCE)

    def accept(n: int) -> Accepted:
        barrier.wait()
        return desk.accept(f"q{n}", conversation="T1", person=f"person {n % 3}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        accepted = list(pool.map(accept, range(AT_ONCE)))

    assert len({a.conversation_id for a in accepted}) == 1
    turns = desk.turns(accepted[0].conversation_id)
    assert [turn.seq for turn in turns] == list(range(1, AT_ONCE + 1))
    assert {turn.question for turn in turns} == {f"q{n}" for n in range(AT_ONCE)}
    assert desk.rows()["people"] == 3


def test_twenty_programs_with_one_history_never_share_a_conversation(desk: Desk) -> None:
    """A company's key speaks for many people: what one of them asks must not be in another one's prompt."""
    program = {"platform": Platform.API, "person": "key:company"}
    first = desk.accept("hi", **program)
    desk.answer(first, "Hello!", digest.extend(digest.root(""), "hi", [], "Hello!"))
    barrier = Barrier(AT_ONCE)

    def accept(n: int) -> Accepted:
        barrier.wait()
        return desk.accept(f"secret {n}", history=past(("hi", "Hello!")), **program)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        accepted = list(pool.map(accept, range(AT_ONCE)))

    threads = [a.conversation_id for a in accepted]
    assert len(set(threads)) == AT_ONCE
    assert threads.count(first.conversation_id) == 1
    for n, thread in enumerate(threads):
        assert [turn.question for turn in desk.turns(thread)] == ["hi", f"secret {n}"]


def test_an_event_that_comes_twice_is_answered_once(desk: Desk) -> None:
    sent: dict[str, Any] = {"platform": Platform.SLACK, "event_key": "e1", "place": "C1", "reply_to": {"channel": "C1"}}
    first, second = desk.accept(**sent), desk.accept(**sent)
    assert (first.turn_id, second.duplicate) == (second.turn_id, True)
    with desk.store.read() as repositories:
        assert len(repositories.deliveries.due(Platform.SLACK, utc_now(), 10)) == 1
        due = repositories.deliveries.of_turn(first.turn_id)
    assert due is not None
    assert (due.turn_id, due.target) == (first.turn_id, {"channel": "C1"})


def test_an_event_whose_question_was_erased_does_not_come_back(desk: Desk) -> None:
    asked = desk.accept(event_key="e1")
    erase_person(desk.store, desk.blobs, asked.person_id, utc_now())
    with pytest.raises(QuestionErased):
        desk.accept(event_key="e1")
