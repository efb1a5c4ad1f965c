"""History that stateless clients bring: stored as answered, found again by its digest."""

import pytest

from core.errors import NotFound
from core.store.turn_history import PastRow
from core.values import new_id
from tests.integration.store.scene import NOW, Scene
from tests.processes import until


def test_imported_history_is_done_and_costs_nothing(scene: Scene) -> None:
    thread, person = scene.thread(), scene.person()
    with scene.store.write() as repositories:
        (turn_id,) = repositories.turns.add_history(thread, person, [PastRow("What?", "A cat.", "h" * 64)], NOW)
        later = repositories.turns.add(thread, person, "And now?", options={"temperature": 0.5}, now=NOW)
    imported = scene.turn(turn_id)
    assert (imported.question, imported.answer, imported.history_hash) == ("What?", "A cat.", "h" * 64)
    assert (imported.state, imported.finish_reason, imported.delivered_at) == ("delivered", "stop", NOW)
    assert (imported.created_at, imported.finished_at, imported.ready_at) == (NOW, NOW, None)
    assert (imported.attempt, imported.options, imported.left_out, imported.model) == (0, {}, [], "")
    assert scene.deliveries(turn_id) == []
    assert scene.dispatchable() == [later.id]
    assert scene.turn(later.id).options == {"temperature": 0.5}


def test_a_history_is_numbered_behind_what_is_there(scene: Scene) -> None:
    thread, person = scene.thread(), scene.person()
    scene.ask(thread)
    with scene.store.write() as repositories:
        ids = repositories.turns.add_history(thread, person, [PastRow(f"q{n}", "a", "h") for n in range(3)], NOW)
        assert repositories.turns.add_history(thread, person, [], NOW) == []
    scene.ask(thread)
    with scene.store.read() as repositories:
        turns = repositories.turns.of_conversation(thread)
    assert [turn.seq for turn in turns] == [1, 2, 3, 4, 5]
    assert [(turn.id, turn.question) for turn in turns[1:4]] == list(zip(ids, ["q0", "q1", "q2"], strict=True))


def test_a_history_of_no_conversation_is_not_found(scene: Scene) -> None:
    person = scene.person()
    with pytest.raises(NotFound):
        with scene.store.write() as repositories:
            repositories.turns.add_history("0" * 32, person, [PastRow("?", "!", "h")], NOW)


def test_a_history_is_found_by_its_digest(scene: Scene) -> None:
    thread, person = scene.thread(), scene.person()
    one, other = PastRow("?", "!", "a" * 64), PastRow("?", "!", "b" * 64)
    with scene.store.write() as repositories:
        first, _ = repositories.turns.add_history(thread, person, [one, other], NOW)
    # Of one millisecond, two ids would be in any order.
    until(lambda: new_id()[:12] > first[:12], "the clock goes on")
    with scene.store.write() as repositories:
        (again,) = repositories.turns.add_history(thread, person, [one], NOW)
    with scene.store.read() as repositories:
        found = repositories.turns.find_by_history(person, "a" * 64)
        assert found is not None
        assert found.id == again
        assert repositories.turns.find_by_history(scene.person("bob"), "a" * 64) is None
        assert repositories.turns.find_by_history(person, "c" * 64) is None


def test_a_turn_without_a_digest_is_not_found_by_none(scene: Scene) -> None:
    scene.ask(scene.thread())
    with scene.store.read() as repositories:
        assert repositories.turns.find_by_history(scene.person(), "") is None
