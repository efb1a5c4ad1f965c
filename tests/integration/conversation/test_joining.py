"""A question that comes in several messages: what belongs to it joins its turn until it is answered."""

from datetime import timedelta

import pytest

from core.conversation.gathering import Gathered, finish_gathering
from core.conversation.inbound import Accepted, Pending
from core.conversation.joining import GATHER_MOST, Addition, Joined, Joining, join, latest, turn_of_key
from core.errors import LostLease
from core.store.database import Store
from core.store.models import Turn
from core.store.outcome import Outcome
from core.values import AttachmentState, Platform, TurnState, utc_now
from tests.integration.conversation.asked import Desk, photo

CHAT = {"platform": Platform.TELEGRAM, "workspace": "7", "person": "11", "place": "11", "reply_to": {"chat": 11}}
CAT, DOG = Pending("cat", {"file_id": "cat"}), Pending("dog", {"file_id": "dog"})


def ask(desk: Desk, words: str = "", *pending: Pending, key: str = "1", wait_s: float = 0.0) -> Accepted:
    until = utc_now() + timedelta(seconds=wait_s) if wait_s else None
    return desk.accept(words, event_key=key, pending=pending, gather_until=until, **CHAT)


def add(desk: Desk, accepted: Accepted, *keys: str, **more: object) -> Joining:
    return join(desk.store, Platform.TELEGRAM, accepted.turn_id, Addition(keys, **more))  # type: ignore[arg-type]


def finish(desk: Desk, accepted: Accepted, *names: str) -> Gathered:
    fetched = [a.id for a in desk.turn(accepted).attachments if a.state == AttachmentState.PENDING]
    return finish_gathering(desk.store, desk.blobs, accepted.turn_id, fetched, [photo(name) for name in names], 3)


def claim(desk: Desk, accepted: Accepted) -> Turn:
    now = utc_now()
    with desk.store.write() as repositories:
        turn = repositories.turns.claim(accepted.turn_id, "worker", now, now + timedelta(minutes=1))
    assert turn is not None
    return turn


def test_a_question_that_waits_for_more_is_gathering_until_then(desk: Desk) -> None:
    accepted = ask(desk, "Which?", wait_s=60)
    assert desk.turn(accepted).state == TurnState.GATHERING
    assert finish(desk, accepted) is Gathered.MORE
    assert add(desk, accepted, "2") == Joining(Joined.ADDED, accepted.turn_id)
    assert finish(desk, accepted) is Gathered.READY
    turn = desk.turn(accepted)
    assert (turn.state, turn.not_before, turn.question) == (TurnState.READY, None, "Which?")


def test_files_and_words_add_up_in_their_order(desk: Desk) -> None:
    accepted = ask(desk, "", CAT, wait_s=60)
    assert add(desk, accepted, "2", pending=(DOG,)).joined is Joined.ADDED
    assert add(desk, accepted, "3", question="Which is older?").joined is Joined.ADDED
    assert finish(desk, accepted, "cat", "dog") is Gathered.READY
    turn = desk.turn(accepted)
    assert turn.question == "Which is older?"
    assert [(a.name, a.state, a.position) for a in turn.attachments] == [
        ("cat.png", "stored", 0),
        ("dog.png", "stored", 1),
    ]
    assert {turn_of_key(desk.store, Platform.TELEGRAM, key) for key in "123"} == {accepted.turn_id}


def test_a_message_that_comes_twice_is_added_once(desk: Desk) -> None:
    accepted = ask(desk, "", CAT)
    assert add(desk, accepted, "2", "u2", pending=(DOG,)).joined is Joined.ADDED
    assert add(desk, accepted, "2", "u3", pending=(DOG,)).joined is Joined.KNOWN
    assert add(desk, accepted, "4", "u2", pending=(DOG,)).joined is Joined.KNOWN
    assert len(desk.turn(accepted).attachments) == 2


def test_an_answer_that_runs_is_over_when_more_of_its_question_comes(desk: Desk) -> None:
    accepted = ask(desk, "Which?", CAT)
    finish(desk, accepted, "cat")
    running = claim(desk, accepted)
    assert add(desk, accepted, "2", pending=(DOG,)) == Joining(Joined.ADDED, accepted.turn_id, running.attempt)

    outcome, now = Outcome(TurnState.ANSWERED, answer="One cat."), utc_now()
    with pytest.raises(LostLease), desk.store.write() as repositories:
        repositories.turns.finish(accepted.turn_id, "worker", running.attempt, outcome, now)
    with desk.store.write() as repositories:
        held, _ = repositories.turns.heartbeat("worker", [(accepted.turn_id, running.attempt)], now)
        assert held == set()
        assert repositories.turns.give_back(accepted.turn_id, "worker", running.attempt, now) is None
        assert repositories.turns.claim(accepted.turn_id, "worker", now, now) is None
    assert finish(desk, accepted, "dog") is Gathered.READY
    assert [(a.name, a.position) for a in desk.turn(accepted).attachments] == [("cat.png", 0), ("dog.png", 1)]
    assert claim(desk, accepted).attempt == running.attempt + 1


def test_the_limit_of_pictures_counts_those_that_are_there(desk: Desk) -> None:
    accepted = ask(desk, "Which?", CAT)
    finish(desk, accepted, "a", "b")
    add(desk, accepted, "2", pending=(DOG,))
    assert finish(desk, accepted, "c", "d") is Gathered.READY
    assert [(a.name, a.state) for a in desk.turn(accepted).attachments] == [
        ("a.png", "stored"),
        ("b.png", "stored"),
        ("c.png", "stored"),
        ("d.png", "refused"),
    ]


@pytest.mark.parametrize("how", ["answered", "stopped", "asked to stop"])
def test_what_has_ended_is_joined_by_nothing(desk: Desk, how: str) -> None:
    accepted, now = ask(desk, "Which?"), utc_now()
    if how != "stopped":
        running = claim(desk, accepted)
    with desk.store.write() as repositories:
        if how == "answered":
            outcome = Outcome(TurnState.ANSWERED, answer="This.")
            repositories.turns.finish(accepted.turn_id, "worker", running.attempt, outcome, now)
        else:
            repositories.turns.request_cancel(accepted.turn_id, now)
    before = desk.turn(accepted).state
    assert add(desk, accepted, "2", question="And?").joined is Joined.OVER
    assert desk.turn(accepted).state == before
    assert turn_of_key(desk.store, Platform.TELEGRAM, "2") is None


def test_nobody_waits_longer_than_ten_seconds_in_all(desk: Desk) -> None:
    accepted = ask(desk, "", CAT, wait_s=5)
    add(desk, accepted, "2", pending=(DOG,), wait=timedelta(hours=1))
    turn = desk.turn(accepted)
    assert turn.not_before is not None
    assert turn.not_before <= turn.created_at + GATHER_MOST


def test_the_last_turn_of_a_place_and_what_it_lacks(desk: Desk, store: Store) -> None:
    def last(person: str = "11") -> tuple[str, bool, bool, int] | None:
        found = latest(store, Platform.TELEGRAM, "7", "11", person)
        return (found.turn_id, found.by_same_person, found.asks, found.files) if found is not None else None

    assert last() is None
    first = ask(desk, "", CAT)
    assert last() == (first.turn_id, True, False, 1)
    assert last("12") == (first.turn_id, False, False, 1)
    second = ask(desk, "Which?", key="2")
    assert last() == (second.turn_id, True, True, 0)
    with store.write() as repositories:
        workspace = repositories.people.workspace(Platform.TELEGRAM, "7")
        repositories.places.begin_anew(repositories.places.get_or_create(workspace.id, "11").id)
    assert last() is None
