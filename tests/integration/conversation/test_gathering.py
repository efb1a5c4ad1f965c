"""References become pictures or reasons, once, and what may still change about a question until then."""

from core.conversation.changes import replace_question, turn_of_event
from core.conversation.gathering import Gathered, add_references, finish_gathering
from core.conversation.inbound import Accepted, Named, Pending, Refused
from core.store.database import Store
from core.values import AttachmentState, Platform, TurnState
from tests.integration.conversation.asked import Desk, photo

CAT = Pending("cat.jpg", {"id": "F1"})


def gathering(desk: Desk, *pending: Pending) -> Accepted:
    """A question of Slack's whose files are still to be fetched."""
    return desk.accept("Which one?", platform=Platform.SLACK, pending=pending or (CAT,), other_keys=("event:1",))


def ids(desk: Desk, accepted: Accepted) -> list[str]:
    return [a.id for a in desk.turn(accepted).attachments]


def files(desk: Desk, accepted: Accepted) -> list[tuple[str, str]]:
    return [(a.name, a.state) for a in desk.turn(accepted).attachments]


def finish(desk: Desk, accepted: Accepted, fetched: list[str], *found: Named | Refused, most: int = 10) -> Gathered:
    return finish_gathering(desk.store, desk.blobs, accepted.turn_id, fetched, found, most)


def test_one_reference_may_turn_out_to_be_several_pictures(store: Store) -> None:
    desk = Desk(store)
    accepted = gathering(desk)
    refused = Refused("bad.png", "broken", "It is broken.")
    assert finish(desk, accepted, ids(desk, accepted), photo("a"), photo("b"), refused) is Gathered.READY
    turn = desk.turn(accepted)
    assert turn.state == TurnState.READY
    assert [a.state for a in turn.attachments] == [
        AttachmentState.STORED,
        AttachmentState.STORED,
        AttachmentState.REFUSED,
    ]
    assert desk.blobs.get(turn.attachments[0].blob_key) == b"a"
    assert turn.attachments[2].error_message == "It is broken."


def test_only_one_of_two_who_fetched_counts(store: Store) -> None:
    desk = Desk(store)
    accepted = gathering(desk)
    fetched = ids(desk, accepted)
    assert finish(desk, accepted, fetched, photo("a")) is Gathered.READY
    assert finish(desk, accepted, fetched, photo("b")) is Gathered.OVER
    assert len(files(desk, accepted)) == 1


def test_a_file_that_became_known_meanwhile_is_waited_for(store: Store) -> None:
    desk = Desk(store)
    accepted = gathering(desk)
    fetched = ids(desk, accepted)
    assert add_references(store, accepted.turn_id, [CAT, Pending("dog.jpg", {"id": "F2"})], "id")
    assert finish(desk, accepted, fetched, photo("a")) is Gathered.MORE
    assert [name for name, _ in files(desk, accepted)] == ["cat.jpg", "dog.jpg"]
    assert finish(desk, accepted, ids(desk, accepted), photo("a"), photo("b")) is Gathered.READY
    assert not add_references(store, accepted.turn_id, [Pending("late.jpg", {"id": "F3"})], "id")


def test_pictures_beyond_the_limit_are_named_once_for_each_file(store: Store) -> None:
    desk = Desk(store)
    accepted = gathering(desk)
    pages = [Named("long.pdf", photo(str(page)).picture) for page in range(4)]
    assert finish(desk, accepted, ids(desk, accepted), *pages, most=2) is Gathered.READY
    stored, refused = AttachmentState.STORED, AttachmentState.REFUSED
    assert files(desk, accepted) == [("long.pdf", stored), ("long.pdf", stored), ("long.pdf", refused)]


def test_a_cancelled_question_needs_no_files(store: Store) -> None:
    desk = Desk(store)
    accepted = gathering(desk)
    with store.write() as repositories:
        repositories.turns.request_cancel(accepted.turn_id, desk.turn(accepted).created_at)
    assert finish(desk, accepted, ids(desk, accepted), photo("a")) is Gathered.OVER


def test_what_gathers_is_found_by_its_platform(store: Store) -> None:
    desk = Desk(store)
    accepted = gathering(desk)
    with store.read() as repositories:
        assert repositories.turns.gathering_on(Platform.SLACK) == [accepted.turn_id]
        assert repositories.turns.gathering_on(Platform.TELEGRAM) == []


def test_any_of_its_keys_finds_the_question(store: Store) -> None:
    desk = Desk(store)
    accepted = gathering(desk)
    again = gathering(desk)
    assert (again.turn_id, again.duplicate) == (accepted.turn_id, True)
    found = turn_of_event(store, Platform.SLACK, "event:1")
    assert found is not None
    assert found.id == accepted.turn_id
    assert turn_of_event(store, Platform.SLACK, "event:2") is None


def test_a_question_can_be_replaced_until_its_answer_begins(store: Store) -> None:
    desk = Desk(store)
    accepted = gathering(desk)
    assert replace_question(store, accepted.turn_id, "The other one?")
    finish(desk, accepted, ids(desk, accepted), photo("a"))
    assert replace_question(store, accepted.turn_id, "Any?")
    now = desk.turn(accepted).created_at
    with store.write() as repositories:
        assert repositories.turns.claim(accepted.turn_id, "worker", now, now) is not None
    assert not replace_question(store, accepted.turn_id, "Too late?")
    assert desk.turn(accepted).question == "Any?"
