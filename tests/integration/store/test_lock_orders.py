"""Who takes which rows first on PostgreSQL: two who work in one conversation never wait for each other in a circle.

Whoever ends a turn has its row first and its conversation's last, also where only a trigger notes a fact about the
conversation. Whoever answers for a human, or gives back to the model, has the conversation's row first.
"""

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, text

from core.conversation.gathering import Gathered, finish_gathering
from core.conversation.inbound import Accepted, Pending
from core.store.database import Repositories, Store
from core.store.models import Attachment
from core.values import Notice, Platform, TurnState, utc_now
from tests.integration.conversation.asked import Desk, photo
from tests.processes import until

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
Work = Callable[[Repositories, str, str], object]


@pytest.fixture
def desk(postgresql_url: str) -> Iterator[Desk]:
    store = Store(postgresql_url)
    yield Desk(store)
    store.close()


def take_over(repositories: Repositories, conversation_id: str, turn_id: str) -> None:
    assert repositories.takeovers.take(conversation_id, "admin", "", utc_now()) is not None
    assert repositories.takeovers.say(conversation_id, Notice.TAKEN, utc_now()) is not None


def say(repositories: Repositories, conversation_id: str, turn_id: str) -> None:
    assert repositories.takeovers.act(conversation_id, "admin", utc_now()) is not None
    assert repositories.turns.answer_by_human(turn_id, "It is blue.", "admin", utc_now(), None)


def hand_back(repositories: Repositories, conversation_id: str, turn_id: str) -> None:
    assert repositories.takeovers.hand_back(conversation_id, "admin", utc_now())
    assert repositories.turns.give_back_to_model([turn_id], utc_now(), None) == [turn_id]


def hand_over(repositories: Repositories, conversation_id: str, turn_id: str) -> None:
    repositories.turns.hand_over(conversation_id, utc_now())


def cancel(repositories: Repositories, conversation_id: str, turn_id: str) -> None:
    repositories.turns.request_cancel(turn_id, utc_now())


def asked(desk: Desk, *, taken: bool) -> Accepted:
    """A question whose picture is still to be fetched, where an admin answers or is about to."""
    where = {"platform": Platform.SLACK, "conversation": "C1:1", "reply_to": {"channel": "C1"}}
    first = desk.accept("Hello?", **where)
    desk.answer(first, "Hello.", "")
    if taken:
        with desk.store.write() as repositories:
            take_over(repositories, first.conversation_id, first.turn_id)
    return desk.accept("Which one?", pending=(Pending("cat.jpg", {"id": "F1"}),), **where)


def waits(store: Store, number: int) -> bool:
    """Whether so many wait for a row."""
    with store.read() as repositories:
        return (repositories.session.scalar(_WAITING) or 0) >= number


def beside(store: Store, gather: Callable[[], Gathered], other: Callable[[], None]) -> tuple[Gathered, list[Exception]]:
    """Both at once: `gather` stops in its middle until `other` waits or is done. What it did, and what was raised."""
    found: list[Gathered] = []
    raised: list[Exception] = []

    def run(work: Callable[[], object]) -> None:
        try:
            if isinstance(done := work(), Gathered):
                found.append(done)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in (gather, other)]
    with store.write() as gate:
        # What `gather` removes on its way.
        gate.session.execute(select(Attachment.id).with_for_update()).all()
        threads[0].start()
        until(lambda: waits(store, 1), "the first waits")
        threads[1].start()
        until(lambda: waits(store, 2) or not threads[1].is_alive(), "the second waits, or need not")
    for thread in threads:
        thread.join()
    return (found or [Gathered.OVER])[0], raised


@pytest.mark.parametrize(
    ("work", "taken", "state"),
    [
        (take_over, False, TurnState.READY),
        (hand_over, False, TurnState.READY),
        (cancel, False, TurnState.READY),
        (say, True, TurnState.ANSWERED),
        (hand_back, True, TurnState.READY),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_fetching_a_picture_beside_what_an_admin_does(desk: Desk, work: Work, taken: bool, state: TurnState) -> None:
    accepted = asked(desk, taken=taken)
    if work is hand_over:
        with desk.store.write() as repositories:
            repositories.conversations.hand_over(accepted.conversation_id, utc_now())
    pending = [one.id for one in desk.turn(accepted).attachments]

    def gather() -> Gathered:
        return finish_gathering(desk.store, desk.blobs, accepted.turn_id, pending, [photo("cat")], 10)

    def other() -> None:
        with desk.store.write() as repositories:
            work(repositories, accepted.conversation_id, accepted.turn_id)

    gathered, raised = beside(desk.store, gather, other)
    assert raised == []
    assert gathered is (Gathered.SHOWN if taken else Gathered.READY)
    turn = desk.turn(accepted)
    ended: dict[Work, TurnState] = {hand_over: TurnState.HANDED_OVER, cancel: TurnState.CANCELLED}
    assert turn.state == ended.get(work, state)
    assert [one.state for one in turn.attachments] == ["stored"]


@pytest.mark.parametrize("work", [say, hand_back])
def test_an_admin_was_first(desk: Desk, work: Work) -> None:
    """The same with the admin in the middle of it."""
    accepted = asked(desk, taken=True)
    pending = [one.id for one in desk.turn(accepted).attachments]
    found: list[Gathered] = []

    def gather() -> None:
        found.append(finish_gathering(desk.store, desk.blobs, accepted.turn_id, pending, [photo("cat")], 10))

    thread = threading.Thread(target=gather)
    with desk.store.write() as repositories:
        work(repositories, accepted.conversation_id, accepted.turn_id)
        thread.start()
        until(lambda: waits(desk.store, 1), "it waits")
    thread.join()
    assert found == [Gathered.READY if work is hand_back else Gathered.SHOWN]
    assert [one.state for one in desk.turn(accepted).attachments] == ["stored"]
