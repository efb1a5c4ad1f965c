"""Turns as intake and the adapters see them."""

import pytest

from core.errors import NotFound
from core.store.outcome import Outcome
from core.values import AttachmentState, Platform, TurnState
from tests.integration.store.scene import NOW, Scene, after


def test_turns_of_a_conversation_are_numbered_in_order(scene: Scene) -> None:
    thread, other = scene.thread(), scene.thread("other")
    ids = [scene.ask(thread, f"question {n}", at=n) for n in range(3)]
    scene.ask(other)
    with scene.store.read() as repositories:
        turns = repositories.turns.of_conversation(thread)
        conversation = repositories.conversations.get(thread)
    assert [(turn.id, turn.seq) for turn in turns] == list(zip(ids, (1, 2, 3), strict=True))
    assert conversation is not None
    assert (conversation.last_seq, conversation.updated_at) == (3, after(2))


def test_a_new_turn_is_ready_and_waits_from_now_on(scene: Scene) -> None:
    turn = scene.turn(scene.ask(scene.thread(), at=5))
    assert (turn.state, turn.ready_at, turn.created_at) == (TurnState.READY, after(5), after(5))
    assert (turn.attempt, turn.failures, turn.lease_owner, turn.cancel_requested) == (0, 0, "", False)


def test_a_turn_of_no_conversation_is_not_found(scene: Scene) -> None:
    person = scene.person()
    with pytest.raises(NotFound):
        with scene.store.write() as repositories:
            repositories.turns.add("0" * 32, person, "?", now=NOW)


def test_the_newest_turns_before_a_point_come_in_order(scene: Scene) -> None:
    thread = scene.thread()
    for n in range(5):
        scene.ask(thread, at=n)
    with scene.store.read() as repositories:
        of = repositories.turns.of_conversation
        assert [turn.seq for turn in of(thread, limit=2)] == [4, 5]
        assert [turn.seq for turn in of(thread, before_seq=4, limit=2)] == [2, 3]
        assert [turn.seq for turn in of(thread, before_seq=1)] == []
        assert of("0" * 32) == []


def test_attachments_come_in_their_order(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    with scene.store.write() as repositories:
        for position in (2, 0, 1):
            repositories.attachments.add(turn_id, position, state=AttachmentState.PENDING, name=f"{position}.png")
        assert [a.name for t in repositories.turns.by_ids([turn_id]).values() for a in t.attachments] == [
            "0.png",
            "1.png",
            "2.png",
        ]
    assert [attachment.position for attachment in scene.turn(turn_id).attachments] == [0, 1, 2]


def test_many_are_read_at_once(scene: Scene) -> None:
    first, second = scene.ask(scene.thread()), scene.ask(scene.thread("other"))
    with scene.store.read() as repositories:
        found = repositories.turns.by_ids([first, second, "0" * 32])
        assert repositories.turns.by_ids([]) == {}
    assert {turn_id: turn.state for turn_id, turn in found.items()} == {first: "ready", second: "ready"}


def test_unanswered_turns_are_counted(scene: Scene) -> None:
    thread = scene.thread()
    scene.ask(thread, state=TurnState.GATHERING)
    scene.run(scene.ask(scene.thread("second")))
    scene.answered(scene.thread("third"))
    scene.ask(scene.thread("fourth", "bob"), person="bob")
    with scene.store.read() as repositories:
        assert repositories.turns.counts_open(scene.person()) == (2, 3)
        assert repositories.turns.counts_open(scene.person("bob")) == (1, 3)
        assert repositories.turns.counts_by_state() == {"gathering": 1, "ready": 1, "running": 1}


def test_the_positions_count_who_has_waited_longer(scene: Scene) -> None:
    early, middle, late = ids = [scene.ask(scene.thread(f"thread {n}"), at=n) for n in range(3)]
    with scene.store.read() as repositories:
        assert repositories.turns.positions(ids) == {early: 0, middle: 1, late: 2}
        assert repositories.turns.positions([late]) == {late: 2}
        assert repositories.turns.positions([]) == {}
    scene.run(early)
    with scene.store.read() as repositories:
        assert repositories.turns.positions([*ids, "0" * 32]) == {middle: 0, late: 1}


def test_turns_ready_at_the_same_moment_have_different_positions(scene: Scene) -> None:
    ids = [scene.ask(scene.thread(f"thread {n}")) for n in range(4)]
    with scene.store.read() as repositories:
        assert repositories.turns.positions(ids) == {turn_id: n for n, turn_id in enumerate(sorted(ids))}


def test_the_standing_is_told_of_the_turns_that_exist(scene: Scene) -> None:
    waiting, answered = scene.ask(scene.thread("first")), scene.answered(scene.thread("second"))
    with scene.store.read() as repositories:
        told = repositories.turns.standings([waiting, answered, "0" * 32])
        assert told == {waiting: (TurnState.READY, 0), answered: (TurnState.ANSWERED, 1)}
        assert [told[turn_id].is_final for turn_id in (waiting, answered)] == [False, True]
        assert repositories.turns.standings([]) == {}


def test_the_longest_wait_is_measured(scene: Scene) -> None:
    with scene.store.read() as repositories:
        assert repositories.turns.oldest_ready_age(NOW) == 0.0
        assert repositories.turns.counts_by_state() == {"gathering": 0, "ready": 0, "running": 0}
    scene.ask(scene.thread(), at=10)
    scene.ask(scene.thread("other"), at=20)
    with scene.store.read() as repositories:
        assert repositories.turns.oldest_ready_age(after(30)) == 20.0
        assert repositories.turns.oldest_ready_age(after(5)) == 0.0


def test_gathering_ends_once(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread(), state=TurnState.GATHERING)
    assert scene.turn(turn_id).ready_at is None
    with scene.store.write() as repositories:
        assert repositories.turns.make_ready(turn_id, after(3))
        assert not repositories.turns.make_ready(turn_id, after(4))
    assert (scene.state(turn_id), scene.turn(turn_id).ready_at) == (TurnState.READY, after(3))


@pytest.mark.parametrize("state", [TurnState.GATHERING, TurnState.READY])
def test_what_waits_is_cancelled_at_once(scene: Scene, state: TurnState) -> None:
    turn_id = scene.ask(scene.thread(), state=state)
    with scene.store.write() as repositories:
        assert repositories.turns.request_cancel(turn_id, after(2)) is TurnState.CANCELLED
    turn = scene.turn(turn_id)
    assert (turn.state, turn.finish_reason, turn.finished_at) == ("cancelled", "cancelled", after(2))
    assert [(row.kind, row.platform, row.state) for row in scene.deliveries(turn_id)] == [
        ("answer", "slack", "pending")
    ]


def test_what_runs_is_only_asked_to_stop(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    scene.run(turn_id)
    with scene.store.write() as repositories:
        assert repositories.turns.request_cancel(turn_id, NOW) is TurnState.RUNNING
    turn = scene.turn(turn_id)
    assert (turn.state, turn.cancel_requested, turn.finished_at) == ("running", True, None)
    assert scene.deliveries(turn_id) == []


def test_what_is_over_stays_over(scene: Scene) -> None:
    turn_id = scene.answered(scene.thread())
    with scene.store.write() as repositories:
        assert repositories.turns.request_cancel(turn_id, NOW) is TurnState.ANSWERED
        assert repositories.turns.request_cancel("0" * 32, NOW) is None
        assert not repositories.turns.reopen(turn_id, NOW)
        assert not repositories.turns.make_ready(turn_id, NOW)
    turn = scene.turn(turn_id)
    assert (turn.state, turn.cancel_requested, turn.answer) == ("answered", False, "A star.")


def test_a_failed_turn_is_reopened_as_if_just_asked(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    failure = Outcome(
        TurnState.FAILED,
        answer="half",
        thinking="hm",
        observations=({"picture": "k" * 64, "model": "eyes", "text": "A star."},),
        error_code="out_of_memory",
        error_message="Too large.",
        model="m",
        prompt_tokens=3,
        completion_tokens=1,
        left_out=({"seq": 1, "what": "text"},),
        boxes=({"label": "", "left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4},),
    )
    scene.finish(turn_id, scene.run(turn_id), failure)
    with scene.store.write() as repositories:
        assert repositories.turns.reopen(turn_id, after(9))
        assert not repositories.turns.reopen(turn_id, after(9))
    turn = scene.turn(turn_id)
    assert (turn.state, turn.ready_at, turn.attempt, turn.failures) == ("ready", after(9), 1, 0)
    assert (turn.answer, turn.thinking, turn.error_code, turn.error_message) == ("", "", "", "")
    assert (turn.observations, turn.left_out, turn.boxes) == ([], [], [])
    assert (turn.finished_at, turn.prompt_tokens, turn.model) == (None, 0, "")
    assert scene.deliveries(turn_id) == []
    assert scene.run(turn_id, at=9) == 2
    scene.finish(turn_id, 2, at=10)
    assert len(scene.deliveries(turn_id)) == 1


def test_a_reopened_turn_has_all_its_tries_again(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    scene.run(turn_id)
    with scene.store.write() as repositories:
        assert repositories.turns.reap(turn_id, 1, 1, after(99), after(200)) is TurnState.FAILED
        assert repositories.turns.reopen(turn_id, after(100))
    turn = scene.turn(turn_id)
    assert (turn.failures, turn.not_before, turn.error_message) == (0, None, "")
    assert scene.dispatchable(at=100) == [turn_id]


def test_a_cancelled_turn_is_reopened_without_the_wish_to_stop(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    with scene.store.write() as repositories:
        repositories.turns.request_cancel(turn_id, NOW)
        assert repositories.turns.reopen(turn_id, after(1))
    assert not scene.turn(turn_id).cancel_requested
    assert scene.dispatchable(at=1) == [turn_id]


def test_a_turn_is_reopened_when_none_behind_it_is_open(scene: Scene) -> None:
    thread = scene.thread()
    first, second = scene.ask(thread), scene.ask(thread)
    with scene.store.write() as repositories:
        repositories.turns.request_cancel(first, NOW)
        assert not repositories.turns.reopen(first, NOW)
        assert not repositories.turns.reopen("0" * 32, NOW)
    assert scene.state(first) == TurnState.CANCELLED
    with scene.store.write() as repositories:
        repositories.turns.request_cancel(second, NOW)
        assert repositories.turns.reopen(first, NOW)
        # The second one may be, too: it comes after the first.
        assert repositories.turns.reopen(second, NOW)
        assert repositories.turns.claim(second, "w", NOW, after(9)) is None
        assert repositories.turns.claim(first, "w", NOW, after(9)) is not None


def test_an_answer_is_delivered_once(scene: Scene) -> None:
    turn_id = scene.answered(scene.thread())
    for at in (5, 6):
        with scene.store.write() as repositories:
            repositories.turns.mark_delivered([turn_id], after(at))
    turn = scene.turn(turn_id)
    assert (turn.state, turn.delivered_at) == (TurnState.DELIVERED, after(5))


@pytest.mark.parametrize("end", [TurnState.FAILED, TurnState.CANCELLED])
def test_of_other_ends_only_the_time_is_noted(scene: Scene, end: TurnState) -> None:
    turn_id = scene.ask(scene.thread())
    scene.finish(turn_id, scene.run(turn_id), Outcome(end))  # type: ignore[arg-type]
    with scene.store.write() as repositories:
        repositories.turns.mark_delivered([turn_id], after(5))
    turn = scene.turn(turn_id)
    assert (turn.state, turn.delivered_at) == (end, after(5))


def test_what_is_not_over_cannot_be_delivered(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    with scene.store.write() as repositories:
        repositories.turns.mark_delivered([turn_id], NOW)
    assert (scene.state(turn_id), scene.turn(turn_id).delivered_at) == (TurnState.READY, None)


def test_texts_of_any_script_come_back_as_they_were(scene: Scene) -> None:
    question = "这是什么？ 🐱 \u202eright to left\u202c 'quote\" \\ %s :name"
    turn_id = scene.ask(scene.thread(), question)
    scene.finish(turn_id, scene.run(turn_id), Outcome(TurnState.ANSWERED, answer="一只猫。\n\n```py\n%d\n```"))
    turn = scene.turn(turn_id)
    assert (turn.question, turn.answer) == (question, "一只猫。\n\n```py\n%d\n```")


def test_platforms_are_noted_in_the_outbox(scene: Scene) -> None:
    thread = scene.thread("page", platform=Platform.WEB)
    turn_id = scene.ask(thread, platform=Platform.WEB)
    scene.finish(turn_id, scene.run(turn_id))
    assert [row.platform for row in scene.deliveries(turn_id)] == [Platform.WEB]
