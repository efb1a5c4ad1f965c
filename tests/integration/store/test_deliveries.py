"""The outbox: told once, by one sender at a time, and again after a failure."""

from core.store.models import Delivery
from core.values import Platform, TurnState
from tests.integration.store.scene import NOW, Scene, after


def due(scene: Scene, at: float, platform: Platform = Platform.SLACK, limit: int = 10) -> list[str]:
    with scene.store.read() as repositories:
        return repositories.deliveries.due(platform, after(at), limit)


def claim(scene: Scene, delivery_id: str, owner: str = "d1", at: float = 2, lease_s: float = 30) -> bool:
    with scene.store.write() as repositories:
        return bool(repositories.deliveries.claim([delivery_id], owner, after(at), after(at + lease_s)))


def one(scene: Scene, name: str = "thread", at: float = 0) -> tuple[str, str]:
    """(turn id, delivery id) of an answered turn."""
    turn_id = scene.answered(scene.thread(name), at=at)
    (delivery,) = scene.deliveries(turn_id)
    return turn_id, delivery.id


def test_what_is_answered_is_due_oldest_first(scene: Scene) -> None:
    (_, first), (_, second) = one(scene, "a", 0), one(scene, "b", 5)
    assert due(scene, 9) == [first, second]
    assert due(scene, 9, limit=1) == [first]
    assert due(scene, 9, Platform.TELEGRAM) == []


def test_what_is_sent_is_delivered_and_not_due_any_more(scene: Scene) -> None:
    turn_id, delivery_id = one(scene)
    assert claim(scene, delivery_id)
    assert due(scene, 3) == []
    with scene.store.write() as repositories:
        assert repositories.deliveries.sent(delivery_id, "d1", "1234.5", after(4))
        assert not repositories.deliveries.sent(delivery_id, "d1", "again", after(5))
    (delivery,) = scene.deliveries(turn_id)
    assert (delivery.state, delivery.external_id, delivery.sent_at, delivery.attempts) == (
        "sent",
        "1234.5",
        after(4),
        1,
    )
    assert (scene.state(turn_id), scene.turn(turn_id).delivered_at) == (TurnState.DELIVERED, after(4))
    assert due(scene, 99) == []


def test_one_sender_at_a_time(scene: Scene) -> None:
    _, delivery_id = one(scene)
    assert claim(scene, delivery_id, "d1")
    assert not claim(scene, delivery_id, "d2", at=3)
    with scene.store.write() as repositories:
        assert not repositories.deliveries.sent(delivery_id, "d2", "x", after(3))
        assert not repositories.deliveries.retry(delivery_id, "d2", "x", after(3))
        assert not repositories.deliveries.give_up(delivery_id, "d2", "x")


def test_a_sender_that_died_is_replaced_and_locked_out(scene: Scene) -> None:
    turn_id, delivery_id = one(scene)
    assert claim(scene, delivery_id, "d1", at=2, lease_s=30)
    assert due(scene, 32) == []
    assert due(scene, 33) == [delivery_id]
    assert claim(scene, delivery_id, "d2", at=33)
    with scene.store.write() as repositories:
        assert not repositories.deliveries.sent(delivery_id, "d1", "late", after(34))
        assert repositories.deliveries.sent(delivery_id, "d2", "right", after(34))
    assert [(row.external_id, row.attempts) for row in scene.deliveries(turn_id)] == [("right", 2)]


def test_a_failure_waits_and_is_tried_again(scene: Scene) -> None:
    turn_id, delivery_id = one(scene)
    claim(scene, delivery_id)
    with scene.store.write() as repositories:
        assert repositories.deliveries.retry(delivery_id, "d1", "ratelimited", after(20))
    assert due(scene, 19) == []
    assert not claim(scene, delivery_id, at=19)
    assert due(scene, 20) == [delivery_id]
    assert claim(scene, delivery_id, at=20)
    assert [(row.state, row.error_message) for row in scene.deliveries(turn_id)] == [("sending", "ratelimited")]


def test_what_is_given_up_is_not_due_any_more(scene: Scene) -> None:
    turn_id, delivery_id = one(scene)
    claim(scene, delivery_id)
    with scene.store.write() as repositories:
        assert repositories.deliveries.give_up(delivery_id, "d1", "channel_not_found")
    assert due(scene, 999) == []
    assert not claim(scene, delivery_id, at=999)
    assert [(row.state, row.error_message) for row in scene.deliveries(turn_id)] == [("failed", "channel_not_found")]
    assert scene.state(turn_id) == TurnState.ANSWERED


def test_reading_delivers_on_pull_channels(scene: Scene) -> None:
    for platform in (Platform.WEB, Platform.API):
        turn_id = scene.ask(scene.thread("page", platform=platform), platform=platform)
        with scene.store.write() as repositories:
            assert repositories.deliveries.mark_read([turn_id], NOW) == set()
        scene.finish(turn_id, scene.run(turn_id))
        with scene.store.write() as repositories:
            assert repositories.deliveries.mark_read([turn_id], after(8)) == {turn_id}
            assert repositories.deliveries.mark_read([turn_id], after(9)) == set()
        assert (scene.state(turn_id), scene.turn(turn_id).delivered_at) == (TurnState.DELIVERED, after(8))
        assert [row.state for row in scene.deliveries(turn_id)] == ["sent"]


def test_reading_elsewhere_does_not_take_the_message_from_slack(scene: Scene) -> None:
    turn_id, delivery_id = one(scene)
    with scene.store.write() as repositories:
        assert repositories.deliveries.mark_read([turn_id], after(8)) == set()
    assert due(scene, 9) == [delivery_id]


def test_a_reopened_turn_takes_its_message_back(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    with scene.store.write() as repositories:
        repositories.turns.request_cancel(turn_id, NOW)
    (delivery,) = scene.deliveries(turn_id)
    claim(scene, delivery.id)
    with scene.store.write() as repositories:
        assert repositories.turns.reopen(turn_id, after(3))
    with scene.store.write() as repositories:
        assert not repositories.deliveries.sent(delivery.id, "d1", "x", after(4))
    assert scene.state(turn_id) == TurnState.READY


def opened(scene: Scene, target: str = "C1") -> tuple[str, str]:
    """(turn id, delivery id) of a question that came with where to answer."""
    turn_id = scene.ask(scene.thread())
    with scene.store.write() as repositories:
        repositories.deliveries.open(turn_id, Platform.SLACK, {"channel": target}, NOW)
    (delivery,) = scene.deliveries(turn_id)
    return turn_id, delivery.id


def posts(scene: Scene, delivery_id: str) -> list[tuple[int, str, bool]]:
    with scene.store.read() as repositories:
        found = repositories.deliveries.posts([delivery_id])[delivery_id]
    return [(post.position, post.external_id, post.complete) for post in found]


def test_where_answers_are_sent_the_delivery_is_there_before_the_end_and_stays_one(scene: Scene) -> None:
    turn_id, delivery_id = opened(scene)
    assert due(scene, 1) == [delivery_id]
    assert claim(scene, delivery_id)
    scene.finish(turn_id, scene.run(turn_id))
    (delivery,) = scene.deliveries(turn_id)
    assert (delivery.id, delivery.state, delivery.target) == (delivery_id, "sending", {"channel": "C1"})
    with scene.store.read() as repositories:
        (recipient,) = repositories.deliveries.recipients([delivery_id]).values()
    assert [recipient.person.external_id, recipient.workspace.external_id] == ["ann", "team"]


def test_a_message_is_written_down_before_it_is_sent_and_by_the_holder_alone(scene: Scene) -> None:
    turn_id, delivery_id = opened(scene)
    claim(scene, delivery_id, "d1", lease_s=1)
    with scene.store.write() as repositories:
        assert repositories.deliveries.begin_post(delivery_id, "d1", 0, NOW)
        assert repositories.deliveries.begin_post(delivery_id, "d1", 0, NOW)
        assert not repositories.deliveries.begin_post(delivery_id, "d2", 1, NOW)
    assert posts(scene, delivery_id) == [(0, "", False)]
    claim(scene, delivery_id, "d2", at=9)
    with scene.store.write() as repositories:
        assert not repositories.deliveries.begin_post(delivery_id, "d1", 1, NOW)
        # What the first holder had sent is told all the same.
        repositories.deliveries.note_post(delivery_id, 0, "1234.5", complete=True)
    assert posts(scene, delivery_id) == [(0, "1234.5", True)]
    with scene.store.write() as repositories:
        workspace_id = repositories.people.workspace(Platform.SLACK, "team").id
    with scene.store.read() as repositories:
        shown = repositories.deliveries.turn_shown_by(Platform.SLACK, workspace_id, "1234.5")
        assert shown is not None
        assert shown.id == turn_id
        assert repositories.deliveries.turn_shown_by(Platform.TELEGRAM, workspace_id, "1234.5") is None
        assert repositories.deliveries.turn_shown_by(Platform.SLACK, "elsewhere", "1234.5") is None


def test_a_lease_is_prolonged_and_given_back_by_its_holder_alone(scene: Scene) -> None:
    (_, mine), (_, other) = opened(scene), opened(scene)
    claim(scene, mine, "d1", lease_s=1)
    claim(scene, other, "d2", lease_s=1)
    with scene.store.write() as repositories:
        assert repositories.deliveries.prolong("d1", [mine, other], after(99)) == {mine}
        assert repositories.deliveries.prolong("d1", [], after(99)) == set()
    assert due(scene, 50) == [other]
    with scene.store.write() as repositories:
        assert not repositories.deliveries.release(mine, "d2")
        assert repositories.deliveries.release(mine, "d1")
    assert due(scene, 3) == [mine]
    with scene.store.read() as repositories:
        assert repositories.session.get_one(Delivery, mine).attempts == 0


def test_a_reopened_turn_is_sent_to_the_same_place_in_new_messages(scene: Scene) -> None:
    turn_id, delivery_id = opened(scene)
    claim(scene, delivery_id)
    with scene.store.write() as repositories:
        repositories.deliveries.begin_post(delivery_id, "d1", 0, NOW)
        repositories.deliveries.note_post(delivery_id, 0, "1234.5", complete=True)
        repositories.turns.request_cancel(turn_id, NOW)
        assert repositories.deliveries.sent(delivery_id, "d1", "1234.5", after(2))
        assert repositories.turns.reopen(turn_id, after(3))
    assert posts(scene, delivery_id) == []
    (delivery,) = scene.deliveries(turn_id)
    assert (delivery.state, delivery.attempts, delivery.external_id) == ("pending", 0, "")
    assert delivery.target == {"channel": "C1"}
    assert due(scene, 3) == [delivery_id]


def test_what_was_taken_back_is_dropped_unless_something_of_it_stands(scene: Scene) -> None:
    turn_id, delivery_id = opened(scene)
    assert claim(scene, delivery_id)
    with scene.store.write() as repositories:
        # Written down, but not known to have got out.
        assert repositories.deliveries.begin_post(delivery_id, "d1", 0, NOW)
        assert repositories.deliveries.drop(turn_id)
        assert not repositories.deliveries.begin_post(delivery_id, "d1", 0, NOW)
        assert not repositories.deliveries.drop(turn_id)
    (delivery,) = scene.deliveries(turn_id)
    assert (delivery.state, delivery.lease_owner) == ("failed", "")
    assert due(scene, 99) == []


def test_what_stands_already_is_brought_to_its_end(scene: Scene) -> None:
    turn_id, delivery_id = opened(scene)
    assert claim(scene, delivery_id)
    with scene.store.write() as repositories:
        assert repositories.deliveries.begin_post(delivery_id, "d1", 0, NOW)
        repositories.deliveries.note_post(delivery_id, 0, "1234.5", complete=False)
        assert not repositories.deliveries.drop(turn_id)
    (delivery,) = scene.deliveries(turn_id)
    assert (delivery.state, delivery.lease_owner) == ("sending", "d1")
