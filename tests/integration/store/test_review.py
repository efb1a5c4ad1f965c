"""What the console lists and reads: filters, pages, and that nobody reads beyond his grants."""

from dataclasses import dataclass

import pytest

from core.store.attachments import StoredFile
from core.store.database import Store
from core.store.models import Conversation
from core.store.outcome import Outcome
from core.store.review.filters import Wanted
from core.store.review.scope import EVERYTHING, ReadScope
from core.store.words import sought_words
from core.values import Platform, TurnState
from tests.integration.store.scene import NOW, Scene, after


@dataclass(frozen=True)
class World:
    """Two workspaces with a place each, and one conversation of each kind."""

    scene: Scene
    ids: dict[str, str]
    turns: dict[str, str]

    def names(self, ids: list[str]) -> list[str]:
        """The kinds of these conversations."""
        return [next(name for name, known in self.ids.items() if known == one) for one in ids]

    def listed(self, wanted: Wanted | None = None, scope: ReadScope = EVERYTHING) -> list[str]:
        """The kinds that the list shows."""
        with self.scene.store.read() as repositories:
            inbox = repositories.review(scope).inbox(wanted or Wanted())
        return self.names([row.conversation.id for row in inbox.rows])


@pytest.fixture
def world(store: Store) -> World:
    scene = Scene(store)
    ids, turns = {}, {}
    for n, (name, platform, channel, person) in enumerate(
        [
            ("failed", Platform.SLACK, "C1", "ann"),
            ("good", Platform.SLACK, "C2", "bo"),
            ("open", Platform.TELEGRAM, "42", "cy"),
            ("slow", Platform.TELEGRAM, "42", "cy"),
        ]
    ):
        with store.write() as repositories:
            workspace = repositories.people.workspace(platform, "team", name=f"Team {platform}")
            asker = repositories.people.person(workspace.id, person, display_name=f"{person.title()} 100%_")
            place = repositories.places.get_or_create(workspace.id, channel)
            if name == "good":
                repositories.places.set_persona(place.id, "support")
            conversation = repositories.conversations.get_or_create(workspace.id, name, asker.id, place_id=place.id)
            ids[name] = conversation.id
            turns[name] = repositories.turns.add(
                conversation.id, asker.id, f"{name} shape", state=TurnState.READY, now=after(n * 100)
            ).id
    scene.finish(turns["failed"], scene.run(turns["failed"]), Outcome(TurnState.FAILED, error_code="x"), at=1)
    good = Outcome(TurnState.ANSWERED, answer="A star.", model="glm")
    scene.finish(turns["good"], scene.run(turns["good"], at=100), good, at=101)
    scene.finish(turns["slow"], scene.run(turns["slow"], at=300), good, at=345)
    with store.write() as repositories:
        repositories.feedback.set(turns["good"], scene_person(repositories, "good", ids), 1, now=NOW)
        repositories.attachments.add_stored([StoredFile(turns["slow"], 0, "a.png", "0" * 64, "image/png", 3, 2, 9)])
    return World(scene, ids, turns)


def scene_person(repositories: object, name: str, ids: dict[str, str]) -> str:
    """Who started a conversation."""
    conversation = repositories.session.get(Conversation, ids[name])  # type: ignore[attr-defined]
    return str(conversation.person_id)


FILTERS: list[tuple[Wanted, list[str]]] = [
    (Wanted(), ["slow", "open", "good", "failed"]),
    (Wanted(platform="slack"), ["good", "failed"]),
    (Wanted(state="failed"), ["failed"]),
    (Wanted(state="open"), ["open"]),
    (Wanted(state="answered"), ["slow", "good"]),
    (Wanted(state="cancelled"), []),
    (Wanted(feedback="good"), ["good"]),
    (Wanted(feedback="bad"), []),
    (Wanted(mode="support"), ["good"]),
    (Wanted(model="glm"), ["slow", "good"]),
    (Wanted(pictures=True), ["slow"]),
    (Wanted(slow_s=30), ["slow"]),
    (Wanted(slow_s=60), []),
    (Wanted(person="bo"), ["good"]),
    (Wanted(person="CY 1"), ["slow", "open"]),
    (Wanted(person="100%_"), ["slow", "open", "good", "failed"]),
    (Wanted(person="%"), ["slow", "open", "good", "failed"]),
    (Wanted(person="1%0"), []),
    (Wanted(since=after(150)), ["slow", "open"]),
    (Wanted(before=after(150)), ["good", "failed"]),
    (Wanted(model="glm", pictures=True, platform="telegram"), ["slow"]),
    (Wanted(feedback="good", model="other"), []),
]


def test_filters_of_list_and_search_agree(world: World) -> None:
    for wanted, names in FILTERS:
        assert world.listed(wanted) == names, wanted
        with world.scene.store.read() as repositories:
            hits = repositories.review(EVERYTHING).search(sought_words("shape"), wanted)
        assert sorted(world.names([hit.conversation.id for hit in hits.rows])) == sorted(names), wanted


def test_the_filters_of_places(world: World) -> None:
    with world.scene.store.read() as repositories:
        choices = repositories.review(EVERYTHING).choices()
        slack = next(w for w in choices.workspaces if w.platform == "slack")
        place = next(p for p in choices.places if p.external_id == "C2")
        assert choices.models == ["glm"]
    assert world.listed(Wanted(workspace=slack.id)) == ["good", "failed"]
    assert world.listed(Wanted(place=place.id)) == ["good"]


def test_what_the_list_tells_of_a_conversation(world: World) -> None:
    with world.scene.store.read() as repositories:
        rows = {row.question: row for row in repositories.review(EVERYTHING).inbox(Wanted()).rows}
    assert (rows["failed shape"].failed, rows["failed shape"].open, rows["failed shape"].turns) == (1, 0, 1)
    assert (rows["good shape"].good, rows["good shape"].bad) == (1, 0)
    assert rows["good shape"].person == "Bo 100%_"
    assert rows["open shape"].open == 1
    assert rows["open shape"].slowest_s is None
    assert rows["slow shape"].pictures == 1
    assert rows["slow shape"].slowest_s == pytest.approx(45)


def test_pages_of_the_list_neither_repeat_nor_miss_anything(world: World) -> None:
    for limit in (1, 2, 3, 4):
        seen: list[str] = []
        before = None
        while True:
            with world.scene.store.read() as repositories:
                page = repositories.review(EVERYTHING).inbox(Wanted(), before=before, limit=limit)
            seen += world.names([row.conversation.id for row in page.rows])
            if (before := page.next) is None:
                break
        assert seen == ["slow", "open", "good", "failed"], limit


def test_nothing_beyond_the_grants_is_listed_found_or_read(world: World) -> None:
    with world.scene.store.read() as repositories:
        choices = repositories.review(EVERYTHING).choices()
        attachment = repositories.review(EVERYTHING).turn(world.turns["slow"])
    assert attachment is not None
    picture = attachment.turn.attachments[0].id
    slack = next(w.id for w in choices.workspaces if w.platform == "slack")
    c2 = next(p.id for p in choices.places if p.external_id == "C2")
    telegram_place = next(p.id for p in choices.places if p.external_id == "42")
    for scope, names, models in [
        (ReadScope(), [], []),
        (ReadScope(workspaces=frozenset({slack})), ["good", "failed"], ["glm"]),
        (ReadScope(places=frozenset({c2})), ["good"], ["glm"]),
        (ReadScope(places=frozenset({c2, telegram_place})), ["slow", "open", "good"], ["glm"]),
    ]:
        assert world.listed(scope=scope) == names
        with world.scene.store.read() as repositories:
            review = repositories.review(scope)
            hits = review.search(sought_words("shape"), Wanted())
            assert sorted(world.names([hit.conversation.id for hit in hits.rows])) == sorted(names)
            for name, conversation_id in world.ids.items():
                assert (review.transcript(conversation_id) is not None) == (name in names)
                assert (review.turn(world.turns[name]) is not None) == (name in names)
            assert (review.attachment(picture) is not None) == ("slow" in names)
            assert bool(review.latest_pictures(world.ids["slow"], 9)) == ("slow" in names)
            assert review.choices().models == models
    assert world.listed(Wanted(workspace=slack), ReadScope(places=frozenset({c2}))) == ["good"]


def test_a_browser_without_a_name_is_told_from_others(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread("t", "browser:0123456789abcdef"), person="browser:0123456789abcdef")
    with scene.store.read() as repositories:
        page = repositories.review(EVERYTHING).turn(turn_id)
        rows = repositories.review(EVERYTHING).inbox(Wanted()).rows
    assert page is not None
    assert page.person == rows[0].person == "browser abcdef"


def test_a_long_conversation_is_read_in_stretches(scene: Scene) -> None:
    thread = scene.thread()
    for n in range(12):
        scene.answered(thread, at=n * 10)
    with scene.store.read() as repositories:
        review = repositories.review(EVERYTHING)
        last = review.transcript(thread, limit=4)
        middle = review.transcript(thread, limit=4, around=6)
        first = review.transcript(thread, limit=4, around=1)
    assert last is not None
    assert middle is not None
    assert first is not None
    assert [page.turn.seq for page in last.turns] == [9, 10, 11, 12]
    assert (last.earlier, last.later) == (True, False)
    assert [page.turn.seq for page in middle.turns] == [6, 7, 8, 9]
    assert (middle.earlier, middle.later) == (True, True)
    assert [page.turn.seq for page in first.turns] == [1, 2, 3, 4]
    assert (first.earlier, first.later) == (False, True)
