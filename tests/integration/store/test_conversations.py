"""Conversations: one for each thread, listed by their last change, seen by their owner."""

from concurrent.futures import ThreadPoolExecutor

from core.values import Platform, TurnState
from tests.integration.store.scene import Scene, after


def test_a_thread_is_one_conversation(scene: Scene) -> None:
    person = scene.person()
    with scene.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.SLACK, "team")
        first = repositories.conversations.get_or_create(
            workspace.id, "t1", person, title="x" * 300, system_prompt="Be brief."
        )
        again = repositories.conversations.get_or_create(workspace.id, "t1", person, title="other")
        other = repositories.conversations.get_or_create(workspace.id, "t2", person)
    assert again.id == first.id != other.id
    assert (len(again.title), again.system_prompt, again.last_seq) == (200, "Be brief.", 0)


def test_the_same_thread_name_elsewhere_is_another_conversation(scene: Scene) -> None:
    assert scene.thread("t1") != scene.thread("t1", platform=Platform.TELEGRAM)


def test_only_who_started_it_owns_it(scene: Scene) -> None:
    thread = scene.thread()
    ann, bob = scene.person(), scene.person("bob")
    with scene.store.read() as repositories:
        owned = repositories.conversations.owned(thread, ann)
        assert owned is not None
        assert owned.id == thread
        assert repositories.conversations.owned(thread, bob) is None
        assert repositories.conversations.owned("0" * 32, ann) is None
        assert repositories.conversations.get("0" * 32) is None


def test_pages_follow_each_other_without_gaps_or_repeats(scene: Scene) -> None:
    threads = [scene.thread(f"thread {n}") for n in range(7)]
    # Several changed at the same moment: only the id tells them apart.
    for n, thread in enumerate(threads):
        scene.ask(thread, at=n // 3)
    scene.ask(scene.thread("bob", "bob"), person="bob")
    ann = scene.person()
    seen: list[str] = []
    before = None
    with scene.store.read() as repositories:
        while page := repositories.conversations.list_for(ann, limit=2, before=before):
            assert len(page) <= 2
            seen += [conversation.id for conversation in page]
            before = (page[-1].updated_at, page[-1].id)
    assert sorted(seen) == sorted(threads)
    assert seen[0] == threads[6]
    assert set(seen[1:4]) == set(threads[3:6])


def test_every_change_brings_a_conversation_to_the_top(scene: Scene) -> None:
    old, new = scene.thread("old"), scene.thread("new")
    turn_id = scene.ask(old, at=0)
    scene.ask(new, at=1)
    ann = scene.person()

    def top() -> str:
        with scene.store.read() as repositories:
            return repositories.conversations.list_for(ann, limit=1)[0].id

    assert top() == new
    scene.finish(turn_id, scene.run(turn_id), at=2)
    assert top() == old
    waiting = scene.ask(new, at=3, state=TurnState.GATHERING)
    scene.ask(old, at=4)
    with scene.store.write() as repositories:
        repositories.turns.request_cancel(waiting, after(5))
    assert top() == new


def test_a_title_is_changed(scene: Scene) -> None:
    thread = scene.thread()
    with scene.store.write() as repositories:
        assert repositories.conversations.set_title(thread, "Shapes " * 50)
        assert not repositories.conversations.set_title("0" * 32, "Nothing")
    with scene.store.read() as repositories:
        conversation = repositories.conversations.get(thread)
    assert conversation is not None
    assert conversation.title == ("Shapes " * 50)[:200]


def test_only_behind_its_last_turn_a_conversation_goes_on(scene: Scene) -> None:
    thread = scene.thread()
    scene.ask(thread, at=1)
    with scene.store.write() as repositories:
        found = repositories.conversations.go_on_behind(thread, 1, after(5))
        assert found is not None
        assert (found.id, found.last_seq, found.updated_at) == (thread, 1, after(5))
        assert repositories.conversations.go_on_behind(thread, 0, after(6)) is None
        assert repositories.conversations.go_on_behind("0" * 32, 1, after(6)) is None


def test_of_two_who_go_on_behind_the_same_turn_the_later_finds_it_taken(scene: Scene) -> None:
    """The second one begins while the first has not committed yet."""
    thread, person = scene.thread(), scene.person()
    scene.ask(thread)

    def go_on() -> bool:
        with scene.store.write() as repositories:
            return repositories.conversations.go_on_behind(thread, 1, after(5)) is not None

    with ThreadPoolExecutor(1) as pool:
        with scene.store.write() as repositories:
            assert repositories.conversations.go_on_behind(thread, 1, after(5)) is not None
            second = pool.submit(go_on)
            repositories.turns.add(thread, person, "next", now=after(5))
            assert not second.done()
        assert second.result() is False
