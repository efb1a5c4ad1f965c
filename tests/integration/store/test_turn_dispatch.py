"""What the dispatcher announces, in which order, and who announces it."""

from core.values import TurnState
from tests.integration.store.scene import NOW, Scene, after


def test_nothing_waits_nothing_is_announced(scene: Scene) -> None:
    assert scene.dispatchable() == []
    assert scene.mark([]) == []


def test_only_the_first_open_turn_of_a_conversation(scene: Scene) -> None:
    thread = scene.thread()
    first, second = scene.ask(thread, at=0), scene.ask(thread, at=1)
    assert scene.dispatchable() == [first]
    attempt = scene.run(first)
    assert scene.dispatchable() == []
    scene.finish(first, attempt)
    assert scene.dispatchable() == [second]


def test_a_gathering_turn_holds_back_the_next(scene: Scene) -> None:
    thread = scene.thread()
    first = scene.ask(thread, state=TurnState.GATHERING)
    second = scene.ask(thread)
    assert scene.dispatchable() == []
    with scene.store.write() as repositories:
        repositories.turns.request_cancel(first, NOW)
    assert scene.dispatchable() == [second]


def test_people_take_turns(scene: Scene) -> None:
    anns = [scene.ask(scene.thread(f"ann {n}"), at=n) for n in range(3)]
    bobs = [scene.ask(scene.thread(f"bob {n}", "bob"), person="bob", at=10 + n) for n in range(2)]
    assert scene.dispatchable() == [anns[0], bobs[0], anns[1], bobs[1], anns[2]]
    assert scene.dispatchable(limit=2) == [anns[0], bobs[0]]


def test_what_a_person_has_under_way_counts_against_them(scene: Scene) -> None:
    anns = [scene.ask(scene.thread(f"ann {n}"), at=n) for n in range(4)]
    bob = scene.ask(scene.thread("bob", "bob"), person="bob", at=10)
    scene.run(anns[0], at=4)
    assert scene.mark([anns[1]], at=4) == [anns[1]]
    assert scene.dispatchable(at=5) == [bob, anns[2], anns[3]]


def test_no_person_gets_more_than_their_share(scene: Scene) -> None:
    anns = [scene.ask(scene.thread(f"ann {n}"), at=n) for n in range(6)]
    assert scene.dispatchable(per_person=4) == anns[:4]
    scene.mark(anns[:2])
    attempt = scene.run(anns[0])
    scene.run(anns[2])
    assert scene.dispatchable(at=1, per_person=4) == [anns[3]]
    scene.finish(anns[0], attempt)
    assert scene.dispatchable(at=1, per_person=4) == anns[3:5]


def test_an_announcement_is_repeated_after_its_time(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    assert scene.mark([turn_id], again_s=10) == [turn_id]
    assert scene.dispatchable(at=9) == []
    assert scene.mark([turn_id], at=9) == []
    assert scene.dispatchable(at=10) == [turn_id]
    assert scene.mark([turn_id], at=10) == [turn_id]
    turn = scene.turn(turn_id)
    assert (turn.dispatch_count, turn.dispatch_again_at) == (2, after(20))


def test_back_off_is_respected(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    attempt = scene.run(turn_id)
    with scene.store.write() as repositories:
        repositories.turns.retry_later(
            turn_id, "worker", attempt, now=after(1), not_before=after(5), error_code="out_of_memory"
        )
    assert scene.dispatchable(at=4) == []
    assert scene.dispatchable(at=5) == [turn_id]


def test_only_ready_turns_are_marked_in_the_given_order(scene: Scene) -> None:
    ready = [scene.ask(scene.thread(f"thread {n}")) for n in range(3)]
    running = scene.ask(scene.thread("running"))
    scene.run(running)
    done = scene.answered(scene.thread("done"))
    asked = [ready[2], running, ready[0], done, "0" * 32, ready[1]]
    assert scene.mark(asked) == [ready[2], ready[0], ready[1]]
    assert scene.turn(running).dispatch_count == 0


def test_a_failed_announcement_is_taken_back(scene: Scene) -> None:
    first, second = scene.ask(scene.thread()), scene.ask(scene.thread("other"), at=1)
    scene.mark([first, second])
    with scene.store.write() as repositories:
        repositories.turns.undispatch([second])
        repositories.turns.undispatch([])
    assert scene.dispatchable(at=1) == [second]


def test_all_announcements_are_forgotten_with_redis(scene: Scene) -> None:
    waiting = [scene.ask(scene.thread(f"thread {n}"), at=n) for n in range(3)]
    running = scene.ask(scene.thread("running"))
    scene.mark([*waiting, running])
    scene.run(running)
    with scene.store.write() as repositories:
        assert repositories.turns.forget_dispatches() == 3
        assert repositories.turns.forget_dispatches() == 0
    assert scene.dispatchable(at=1) == waiting
    assert scene.state(running) == TurnState.RUNNING


def test_looking_near_one_turn_finds_what_it_set_free(scene: Scene) -> None:
    shared = scene.thread("shared")
    first = scene.ask(shared, at=0)
    behind = scene.ask(shared, person="bob", at=1)
    elsewhere = scene.ask(scene.thread("elsewhere"), at=2)
    carols = scene.ask(scene.thread("carol", "carol"), person="carol", at=3)
    attempt = scene.run(first)
    people = [scene.person()]
    with scene.store.read() as repositories:
        near = repositories.turns.dispatchable
        assert near(after(4), 10, 4, people=people, conversations=[shared]) == [elsewhere]
    scene.finish(first, attempt)
    with scene.store.read() as repositories:
        near = repositories.turns.dispatchable
        assert near(after(4), 10, 4, people=people, conversations=[shared]) == [behind, elsewhere]
        assert near(after(4), 10, 4, conversations=[shared]) == [behind]
        assert near(after(4), 10, 4, people=people) == [elsewhere]
    assert scene.dispatchable(at=4) == [behind, elsewhere, carols]


def test_looking_near_respects_everybodys_share(scene: Scene) -> None:
    shared = scene.thread("shared")
    bobs = [scene.ask(scene.thread(f"bob {n}", "bob"), person="bob", at=n) for n in range(2)]
    behind = scene.ask(shared, person="bob", at=5)
    scene.run(bobs[0])
    scene.mark([bobs[1]], at=5)
    with scene.store.read() as repositories:
        near = repositories.turns.dispatchable
        assert near(after(6), 10, 2, people=[scene.person()], conversations=[shared]) == []
        assert near(after(6), 10, 3, people=[scene.person()], conversations=[shared]) == [behind]


def test_follow_ups_are_what_a_worker_may_remember(scene: Scene) -> None:
    thread, other = scene.thread(), scene.thread("other")
    scene.answered(thread)
    second, first = scene.ask(thread, at=2), scene.ask(other, at=2)

    def follow_ups() -> dict[str, str]:
        with scene.store.read() as repositories:
            return repositories.turns.follow_ups([second, first])

    assert follow_ups() == {second: thread}
    scene.mark([second], at=3)
    assert follow_ups() == {}
    # Whoever began to answer it remembers it too, unless it has been announced since.
    for turn_id in (second, first):
        attempt = scene.run(turn_id, at=4)
        with scene.store.write() as repositories:
            repositories.turns.give_back(turn_id, "worker", attempt, after(5))
    assert follow_ups() == {second: thread, first: other}
    scene.run(first, at=6)
    assert follow_ups() == {second: thread}
    with scene.store.read() as repositories:
        assert repositories.turns.follow_ups([]) == {}


def test_who_answers_how_many(scene: Scene) -> None:
    for number, owner in enumerate(["one", "two", "one"]):
        scene.run(scene.ask(scene.thread(f"thread {number}")), owner)
    scene.answered(scene.thread("done"))
    scene.ask(scene.thread("ready"))
    with scene.store.read() as repositories:
        assert repositories.turns.running_of() == {"one": 2, "two": 1}
