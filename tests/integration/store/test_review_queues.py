"""Queues of turns to review: what rules bring into them, who is given what, and how far judges agree."""

from collections.abc import Callable
from datetime import datetime
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import delete, insert, text, update

from core.admins import Role
from core.errors import ContentRefused, NotFound, RequestError, WrongParameter
from core.reviewing import Rule, in_sample
from core.store.models import Conversation, Turn
from core.store.outcome import Outcome
from core.store.review.scope import EVERYTHING, ReadScope
from core.store.review_tables import QueueItem, ReviewQueue
from core.store.reviewing.filling import OVERLAP, enabled_queues, fill_queue
from core.store.reviewing.queues import CLAIM_LASTS, Next
from core.store.reviewing.rules import take_bite
from core.values import Platform, TurnState, new_id
from tests.deciding import decide
from tests.integration.store.scene import NOW, Scene, after
from tests.integration.store.test_query_plans import explained

LATER = after(3600)


@pytest.fixture
def hall(scene: Scene) -> "Hall":
    return Hall(scene)


class Hall:
    """A store, its reviewers, and its queues."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.store = scene.store

    def admin(self, name: str) -> str:
        with self.store.write() as repositories:
            known = repositories.admins.by_name(name)
            return (known or repositories.admins.add(name, Role.REVIEWER, everywhere=True)).id

    def queue(self, rule: Rule, *, workspace: str | None = None, judges: int = 1, **parameters: Any) -> str:
        with self.store.write() as repositories:
            name = f"{rule} {new_id()[-6:]}"
            made = repositories.queues.add(
                name, rule, parameters, workspace_id=workspace, judges=judges, since=after(-60), now=NOW
            )
            return made.id

    def fill(self, queue: str, now: datetime = LATER, bite: int = 1000) -> int:
        return sum(fill_queue(self.store, queue, now, bite=bite))

    def turns(self, queue: str) -> list[str]:
        with self.store.read() as repositories:
            items = repositories.session.query(QueueItem).filter_by(queue_id=queue).order_by(QueueItem.id)
            return [item.turn_id for item in items]

    def why(self, queue: str) -> list[str]:
        with self.store.read() as repositories:
            items = repositories.session.query(QueueItem).filter_by(queue_id=queue).order_by(QueueItem.id)
            return [item.why for item in items]

    def next(self, queue: str, admin: str, at: float = 0, scope: ReadScope = EVERYTHING, skipped: str = "") -> Any:
        with self.store.write() as repositories:
            return repositories.queues.take_next(queue, scope, admin, after(at), skipped=skipped)

    def judge(self, item: Next, admin: str, verdict: str, at: float = 0) -> None:
        with self.store.write() as repositories:
            repositories.reviewing(EVERYTHING, admin).judge(item.turn_id, verdict, after(at))
            repositories.queues.finish(self.queue_of(item), item.item_id, EVERYTHING, admin, after(at))

    def queue_of(self, item: Next) -> str:
        with self.store.read() as repositories:
            found = repositories.session.get(QueueItem, item.item_id)
        assert found is not None
        return found.queue_id

    def failed(self, thread: str, code: str = "oom", at: float = 0) -> str:
        turn = self.scene.ask(thread, at=at)
        attempt = self.scene.run(turn, at=at)
        self.scene.finish(turn, attempt, Outcome(TurnState.FAILED, error_code=code), at=at + 1)
        return turn

    def row(self, queue: str, scope: ReadScope = EVERYTHING) -> tuple[int, int, bool]:
        with self.store.read() as repositories:
            row = next(row for row in repositories.review(scope).queues() if row.queue.id == queue)
            return row.open, row.done, row.oldest is not None


def test_moderation_is_also_what_an_admin_has_decided(hall: Hall) -> None:
    scene = hall.scene
    with hall.store.write() as repositories:
        team = repositories.people.workspace(Platform.SLACK, "team")
        asker = repositories.people.person(team.id, "ann")
        threads = []
        for name, chosen in (("C1", ""), ("C2", "tutor"), ("C3", "moderation"), ("C4", "")):
            place = repositories.places.get_or_create(team.id, name)
            repositories.places.set_persona(place.id, chosen)
            threads.append(repositories.conversations.get_or_create(team.id, name, asker.id, place_id=place.id).id)
        threads.append(repositories.conversations.get_or_create(team.id, "nowhere", asker.id).id)
    decide(hall.store, Platform.SLACK, "team", persona="moderation")
    decide(hall.store, Platform.SLACK, "team", "C3", hidden=["moderation"], persona="tutor")
    decide(hall.store, Platform.SLACK, "team", "C4", persona="tutor")
    turns = [scene.answered(thread, at=n) for n, thread in enumerate(threads)]
    queue = hall.queue(Rule.MODERATION)
    hall.fill(queue)
    assert hall.turns(queue) == [turns[0], turns[4]]
    assert hall.why(queue) == ["asked in moderation"] * 2


def test_each_rule_finds_what_it_is_for(hall: Hall) -> None:
    scene = hall.scene
    good, slow = scene.answered(scene.thread("good")), scene.ask(scene.thread("slow"), at=10)
    scene.finish(slow, scene.run(slow, at=20), at=55)
    failed, refused = (
        hall.failed(scene.thread("failed"), at=60),
        hall.failed(scene.thread("no"), ContentRefused.code, 70),
    )
    scene.ask(scene.thread("open"), at=80)
    with hall.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.SLACK, "team")
        place = repositories.places.get_or_create(workspace.id, "C1")
        repositories.places.set_persona(place.id, "moderation")
        asker = repositories.people.person(workspace.id, "ann")
        there = repositories.conversations.get_or_create(workspace.id, "there", asker.id, place_id=place.id).id
        odd = repositories.labels.add("Odd", NOW)
        other = repositories.labels.add("Other", NOW)
    asked = scene.answered(there, at=90)
    olga = hall.admin("olga")
    with hall.store.write() as repositories:
        repositories.feedback.set(good, repositories.turns.get(good).person_id, -1, now=after(100))  # type: ignore[union-attr]
        repositories.feedback.set(slow, repositories.turns.get(slow).person_id, 1, now=after(100))  # type: ignore[union-attr]
        mine = repositories.reviewing(EVERYTHING, olga)
        mine.flag(slow, "", after(100))
        mine.put_label(good, "Odd", after(100))
        mine.put_label(failed, "Other", after(100))
    for queue, found, why in (
        (hall.queue(Rule.THUMBS_DOWN), [good], "thumbs down"),
        (hall.queue(Rule.FAILED), [failed, refused], "failed: oom"),
        (hall.queue(Rule.SLOW, seconds=44.5), [slow], "took 45 s"),
        (hall.queue(Rule.SLOW, seconds=45.5), [], ""),
        (hall.queue(Rule.MODERATION), [refused, asked], "refused by the provider"),
        (hall.queue(Rule.FLAGGED), [slow], "flagged"),
        (hall.queue(Rule.LABELLED, label=odd.id), [good], "labelled"),
        (hall.queue(Rule.LABELLED, label=other.id), [failed], "labelled"),
        (hall.queue(Rule.SAMPLE, percent=100.0), [good, slow, asked], "sample"),
    ):
        assert hall.fill(queue) == len(found)
        assert hall.turns(queue) == found
        assert hall.why(queue)[:1] == ([why] if found else [])
        assert hall.fill(queue) == 0, "again, nothing is new"


def test_a_rule_goes_on_where_it_was_and_finds_what_came_late(hall: Hall) -> None:
    scene, queue = hall.scene, hall.queue(Rule.FAILED)
    thread = scene.thread()
    first = hall.failed(thread, at=0)
    assert hall.fill(queue, after(600)) == 1
    # Committed late, with a time from before: within the overlap it is found all the same.
    second = hall.failed(thread, at=600 - OVERLAP.total_seconds() + 5)
    assert hall.fill(queue, after(601)) == 1
    third = hall.failed(thread, at=700)
    assert hall.fill(queue, after(800)) == 1
    assert hall.turns(queue) == [first, second, third]
    # A verdict comes long after its turn.
    down = hall.queue(Rule.THUMBS_DOWN)
    assert hall.fill(down, after(900)) == 0
    with hall.store.write() as repositories:
        person = repositories.turns.get(first).person_id  # type: ignore[union-attr]
        repositories.feedback.set(first, person, 1, now=after(950))
    assert hall.fill(down, after(960)) == 0
    with hall.store.write() as repositories:
        repositories.feedback.set(first, person, -1, now=after(2000))
    assert hall.fill(down, after(2010)) == 1


def test_what_was_before_its_beginning_is_not_looked_at(hall: Hall) -> None:
    thread = hall.scene.thread()
    hall.failed(thread, at=-3600)
    now = hall.failed(thread, at=0)
    queue = hall.queue(Rule.FAILED)
    hall.fill(queue)
    assert hall.turns(queue) == [now]


def test_many_turns_are_looked_at_in_bites(hall: Hall) -> None:
    thread, person = hall.scene.thread(), hall.scene.person()
    many: dict[str, Any] = {"conversation_id": thread, "person_id": person, "state": TurnState.DELIVERED}
    rows = [{**many, "id": new_id(), "seq": n, "created_at": NOW, "finished_at": after(n)} for n in range(1, 250)]
    # Ten at the same moment are not torn apart.
    rows += [{**many, "id": new_id(), "seq": n, "created_at": NOW, "finished_at": after(300)} for n in range(250, 260)]
    with hall.store.write() as repositories:
        repositories.session.execute(insert(Turn), rows)
    queue = hall.queue(Rule.SAMPLE, percent=20.0)
    bites = list(fill_queue(hall.store, queue, LATER, bite=7))
    assert len(bites) > 30
    with hall.store.read() as repositories:
        assert repositories.queues.existing(queue).filled_until == LATER - OVERLAP, "it is noted where it has got to"
    expected = [row["id"] for row in rows if in_sample(row["id"], 20.0)]
    assert hall.turns(queue) == expected
    assert sum(bites) == len(expected)
    whole = hall.queue(Rule.SAMPLE, percent=20.0)
    hall.fill(whole)
    assert sorted(hall.turns(whole)) == sorted(expected), "another queue takes the same sample"


def test_a_larger_sample_adds_and_a_paused_queue_rests(hall: Hall) -> None:
    thread, person = hall.scene.thread(), hall.scene.person()
    many: dict[str, Any] = {"conversation_id": thread, "person_id": person, "state": TurnState.ANSWERED}
    with hall.store.write() as repositories:
        rows = [{**many, "id": new_id(), "seq": n, "finished_at": after(n)} for n in range(1, 200)]
        repositories.session.execute(insert(Turn), rows)
    queue = hall.queue(Rule.SAMPLE, percent=10.0)
    hall.fill(queue)
    before = set(hall.turns(queue))
    assert 0 < len(before) < 60
    with hall.store.write() as repositories:
        repositories.queues.change(queue, "s", {"percent": 50.0}, judges=1, enabled=False, now=NOW)
    assert hall.fill(queue) == 0
    assert queue not in enabled_queues(hall.store)
    with hall.store.write() as repositories:
        repositories.queues.change(queue, "s", {"percent": 50.0}, judges=1, enabled=True, now=NOW)
    assert hall.fill(queue) > 0
    assert before < set(hall.turns(queue))
    assert len(hall.turns(queue)) == len(set(hall.turns(queue)))


def test_a_rule_that_is_changed_while_it_is_applied_begins_anew(hall: Hall) -> None:
    thread = hall.scene.thread()
    turns = [hall.scene.answered(thread, at=n * 300) for n in range(4)]
    queue = hall.queue(Rule.SLOW, seconds=100.0)
    bites = fill_queue(hall.store, queue, LATER, bite=1)
    assert [next(bites), next(bites)] == [0, 0]
    with hall.store.write() as repositories:
        repositories.queues.change(queue, "faster", {"seconds": 0.5}, judges=1, enabled=True, now=NOW)
        # As if the other rule had got further.
        moved = update(ReviewQueue).where(ReviewQueue.id == queue).values(filled_until=after(-59))
        repositories.session.execute(moved)
    assert list(bites) == []
    assert hall.fill(queue) == len(turns)
    assert hall.turns(queue) == turns


def test_only_turns_of_its_workspace(hall: Hall) -> None:
    scene = hall.scene
    here = hall.failed(scene.thread("here"))
    there = scene.thread("there", platform=Platform.TELEGRAM)
    turn = scene.ask(there, platform=Platform.TELEGRAM)
    scene.finish(turn, scene.run(turn), Outcome(TurnState.FAILED, error_code="x"))
    with hall.store.read() as repositories:
        workspace = repositories.session.get(Conversation, there).workspace_id  # type: ignore[union-attr]
    queue, both = hall.queue(Rule.FAILED, workspace=workspace), hall.queue(Rule.FAILED)
    hall.fill(queue)
    hall.fill(both)
    assert hall.turns(queue) == [turn]
    assert sorted(hall.turns(both)) == sorted([here, turn])
    scope = ReadScope(workspaces=frozenset([workspace]))
    elsewhere = ReadScope(workspaces=frozenset([new_id()]))
    olga = hall.admin("olga")
    assert hall.row(both, scope) == (1, 0, True)
    assert hall.row(both, elsewhere) == (0, 0, False)
    with hall.store.read() as repositories:
        assert [row.queue.id for row in repositories.review(elsewhere).queues()] == [both]
        assert repositories.review(elsewhere).queue(queue, olga) is None
        assert not repositories.review(elsewhere).queue_is_seen(queue)
        assert repositories.review(elsewhere).at_work(queue, turn) is None
        assert repositories.review(scope).at_work(queue, turn) is not None
    assert hall.next(both, olga, scope=elsewhere) is None
    item = hall.next(both, olga, scope=scope)
    assert item.turn_id == turn
    with hall.store.write() as repositories, pytest.raises(NotFound):
        repositories.queues.finish(both, item.item_id, elsewhere, olga, NOW)


def test_nobody_is_given_what_another_has_before_him(hall: Hall) -> None:
    thread = hall.scene.thread()
    turns = [hall.failed(thread, at=n * 10) for n in range(2)]
    queue, olga, paul, quinn = hall.queue(Rule.FAILED), hall.admin("olga"), hall.admin("paul"), hall.admin("quinn")
    hall.fill(queue)
    first = hall.next(queue, olga)
    assert first.turn_id == turns[0]
    assert hall.next(queue, olga) == first, "he still has it"
    second = hall.next(queue, paul)
    assert second.turn_id == turns[1]
    assert hall.next(queue, quinn) is None
    # What he does with it keeps it his; what he leaves alone goes to somebody else.
    with hall.store.write() as repositories:
        repositories.queues.renew(first.turn_id, olga, after(600))
    over = CLAIM_LASTS.total_seconds()
    assert hall.next(queue, quinn, at=over + 1) == second
    assert hall.next(queue, paul, at=over + 1) is None
    assert hall.next(queue, paul, at=over + 601) == first
    with hall.store.write() as repositories, pytest.raises(RequestError, match="Judge the answer first"):
        repositories.queues.finish(queue, first.item_id, EVERYTHING, olga, NOW)
    with hall.store.write() as repositories, pytest.raises(NotFound):
        repositories.queues.finish(new_id(), first.item_id, EVERYTHING, olga, NOW)
    # Late, but judged is judged.
    hall.judge(first, olga, "good")
    assert hall.row(queue) == (1, 1, True)
    hall.judge(second, quinn, "bad")
    assert hall.row(queue) == (0, 2, False)
    assert hall.next(queue, olga) is None


def test_what_is_skipped_is_free_for_others_and_comes_again(hall: Hall) -> None:
    thread = hall.scene.thread()
    turns = [hall.failed(thread, at=n * 10) for n in range(2)]
    queue, olga, paul = hall.queue(Rule.FAILED), hall.admin("olga"), hall.admin("paul")
    hall.fill(queue)
    first = hall.next(queue, olga)
    second = hall.next(queue, olga, skipped=first.item_id)
    assert [first.turn_id, second.turn_id] == turns
    assert hall.next(queue, olga, skipped=second.item_id) is None
    assert hall.next(queue, paul) == first
    assert hall.next(queue, olga) == second


def test_two_at_once_never_get_the_same(hall: Hall) -> None:
    thread = hall.scene.thread()
    for n in range(12):
        hall.failed(thread, at=n * 10)
    queue = hall.queue(Rule.FAILED)
    hall.fill(queue)
    admins = [hall.admin(f"admin {n}") for n in range(4)]
    barrier, got = Barrier(len(admins)), []

    def work(admin: str) -> None:
        barrier.wait()
        for _ in range(3):
            item = hall.next(queue, admin)
            if item is not None:
                got.append(item.item_id)
                hall.judge(item, admin, "good")

    threads = [Thread(target=work, args=(admin,)) for admin in admins]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(got) == len(set(got)) == 12
    assert hall.row(queue) == (0, 12, False)


def test_two_judges_see_each_others_words_only_afterwards_and_their_agreement_is_told(hall: Hall) -> None:
    thread = hall.scene.thread()
    turns = [hall.failed(thread, at=n * 10) for n in range(4)]
    olga, paul, quinn = hall.admin("olga"), hall.admin("paul"), hall.admin("quinn")
    queue = hall.queue(Rule.FAILED, judges=2)
    hall.fill(queue)
    with hall.store.write() as repositories:
        repositories.labels.add("Odd", NOW)
    assert {hall.next(queue, olga).turn_id, hall.next(queue, paul).turn_id} == {turns[0]}
    skipped, third = "", []
    while (item := hall.next(queue, quinn, skipped=skipped)) is not None:
        skipped = item.item_id
        third.append(item.turn_id)
    assert third == turns[1:], "two are enough"
    for turn, first, second in zip(turns, ("good", "good", "bad", "bad"), ("good", "bad", "bad", "bad"), strict=True):
        mine, his = hall.next(queue, olga), hall.next(queue, paul)
        assert mine.turn_id == his.turn_id == turn
        with hall.store.write() as repositories:
            repositories.reviewing(EVERYTHING, olga).put_label(turn, "odd", NOW)
            repositories.reviewing(EVERYTHING, olga).note(turn, "look", NOW)
        hall.judge(mine, olga, first)
        with hall.store.read() as repositories:
            said = repositories.review(EVERYTHING).remarks([turn])[turn]
            assert said.is_hidden_from(paul)
            assert said.seen_by(paul).judgements == said.seen_by(paul).labels == said.seen_by(paul).notes == []
            assert not said.is_hidden_from(olga)
        if first == second == "good":
            with hall.store.write() as repositories:
                repositories.reviewing(EVERYTHING, paul).put_label(turn, "odd", NOW)
        hall.judge(his, paul, second)
        with hall.store.read() as repositories:
            assert not repositories.review(EVERYTHING).remarks([turn])[turn].is_hidden_from(quinn)
    assert hall.row(queue) == (0, 4, False)
    with hall.store.read() as repositories:
        view = repositories.review(EVERYTHING).queue(queue, quinn)
    assert view is not None
    assert view.verdicts is not None
    assert (view.verdicts.things, view.verdicts.judges, view.verdicts.share) == (4, 2, 0.75)
    assert view.verdicts.kappa == pytest.approx(0.5)
    assert [(name, told.things, told.share) for name, told in view.labels] == [("Odd", 4, 0.25)]
    assert [one.verdicts for one in view.disagreements] == [[("olga", "good"), ("paul", "bad")]]
    assert view.disagreements[0].seq == 2
    with hall.store.read() as repositories:
        scope = ReadScope(workspaces=frozenset([new_id()]))
        beyond = repositories.review(scope).queue(queue, quinn)
    assert beyond is not None
    assert (beyond.verdicts, beyond.labels, beyond.disagreements) == (None, [], [])


def test_fewer_judges_end_what_waits_for_one_more(hall: Hall) -> None:
    turn = hall.failed(hall.scene.thread())
    queue, olga = hall.queue(Rule.FAILED, judges=2), hall.admin("olga")
    hall.fill(queue)
    item = hall.next(queue, olga)
    assert item.turn_id == turn
    hall.judge(item, olga, "good")
    assert hall.row(queue) == (1, 0, True)
    assert hall.next(queue, olga) is None, "he has judged it"
    with hall.store.write() as repositories:
        repositories.queues.change(queue, "less", {}, judges=1, enabled=True, now=NOW)
    assert hall.row(queue) == (0, 1, False)


def test_a_full_queue_waits(hall: Hall) -> None:
    thread, person, olga = hall.scene.thread(), hall.scene.person(), hall.admin("olga")
    queue = hall.queue(Rule.SAMPLE, percent=100.0)
    many: dict[str, Any] = {"conversation_id": thread, "person_id": person, "state": TurnState.ANSWERED}
    with hall.store.write() as repositories:
        rows = [{**many, "id": new_id(), "seq": n, "finished_at": after(n)} for n in range(1, 10)]
        repositories.session.execute(insert(Turn), rows)
    assert list(fill_queue(hall.store, queue, LATER, bite=2, most=4)) == [2, 2]
    assert list(fill_queue(hall.store, queue, LATER, bite=2, most=4)) == []
    hall.judge(hall.next(queue, olga), olga, "good")
    assert list(fill_queue(hall.store, queue, LATER, bite=2, most=4)) == [2]
    assert hall.row(queue)[:2] == (5, 1)
    assert hall.turns(queue) == [row["id"] for row in rows[:6]]


def test_queues_have_names_limits_and_an_end(hall: Hall) -> None:
    queue, since = hall.queue(Rule.FAILED), {"since": NOW, "now": NOW}
    hall.failed(hall.scene.thread())
    hall.fill(queue)
    with hall.store.write() as repositories:
        queues = repositories.queues
        made = queues.add("One", Rule.FLAGGED, {}, workspace_id=None, judges=1, **since)
        with pytest.raises(RequestError, match="already"):
            queues.add(" oNE", Rule.FLAGGED, {}, workspace_id=None, judges=1, **since)
        with pytest.raises(RequestError, match="another queue"):
            queues.change(queue, "one", {}, judges=1, enabled=True, now=NOW)
        for name, rule, parameters, workspace, judges, says in (
            ("", Rule.FAILED, {}, None, 1, "1 to 64"),
            ("x", Rule.FAILED, {}, None, 0, "1 to 5"),
            ("x", Rule.FAILED, {}, None, 6, "1 to 5"),
            ("x", Rule.LABELLED, {"label": new_id()}, None, 1, "no such label"),
            ("x", Rule.FAILED, {}, new_id(), 1, "no such workspace"),
        ):
            with pytest.raises(WrongParameter, match=says):
                queues.add(name, rule, parameters, workspace_id=workspace, judges=judges, **since)
        queues.remove(made.id)
        queues.remove(queue)
        gone: list[Callable[[], object]] = [lambda: queues.remove(queue), lambda: queues.existing(new_id())]
        for act in gone:
            with pytest.raises(NotFound):
                act()
    assert hall.turns(queue) == []
    assert hall.fill(queue) == 0


def test_rules_read_an_index_and_no_more_turns_than_a_bite(hall: Hall) -> None:
    thread, person = hall.scene.thread(), hall.scene.person()
    many: dict[str, Any] = {"conversation_id": thread, "person_id": person, "state": TurnState.DELIVERED}
    with hall.store.write() as repositories:
        label = repositories.labels.add("Odd", NOW).id
        rows = [{**many, "id": new_id(), "seq": n, "finished_at": after(n)} for n in range(1, 2500)]
        repositories.session.execute(insert(Turn), rows)
        repositories.session.execute(text("ANALYZE"))
    parameters: dict[Rule, dict[str, Any]] = {
        Rule.SLOW: {"seconds": 9.0}, Rule.SAMPLE: {"percent": 1.0}, Rule.LABELLED: {"label": label},
    }  # fmt: skip
    for rule in Rule:
        queue_id = hall.queue(rule, **parameters.get(rule, {}))
        with hall.store.write() as repositories:
            queue = repositories.queues.existing(queue_id)
            with explained(repositories.session.connection()) as plans:
                bite = take_bite(repositories.session, queue, after(2000), 100)
        assert plans, rule
        for line in "\n".join(plans).splitlines():
            if "turns" in line:
                assert "Seq Scan" not in line, (rule, plans)
                assert not line.startswith("SCAN turns"), (rule, plans)
        if rule in (Rule.FAILED, Rule.SLOW, Rule.MODERATION, Rule.SAMPLE):
            assert all("ix_turns_finished" in plan for plan in plans[:2]), (rule, plans)
            assert bite.until == after(2100), rule


def test_what_is_erased_meanwhile_is_left_out(hall: Hall) -> None:
    thread = hall.scene.thread()
    turns = [hall.failed(thread, at=n * 300) for n in range(2)]
    queue = hall.queue(Rule.FAILED)
    bites = fill_queue(hall.store, queue, LATER, bite=1)
    assert next(bites) == 1
    with hall.store.write() as repositories:
        repositories.session.execute(delete(Turn).where(Turn.id.in_(turns)))
    assert sum(bites) == 0
    assert hall.turns(queue) == []
