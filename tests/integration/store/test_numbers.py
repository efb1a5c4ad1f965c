"""Numbers of the overview on both databases: kept ones and live ones, whatever happens to turns afterwards."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select

from core.conversation.erasure import erase_person
from core.days import zone_of
from core.media.blobs import BlobStore
from core.store.database import Store
from core.store.models import Conversation, Place, Turn, Workspace
from core.store.numbers.counting import Numbers
from core.store.numbers.histogram import ERROR
from core.store.numbers.reading import Report
from core.store.numbers.roll import count_all_again, count_due_days
from core.store.numbers.wanted import WantedNumbers
from core.store.numbers_tables import NumbersDaily, NumbersDay, NumbersPerson, NumbersStale
from core.store.outcome import Outcome
from core.store.review.scope import EVERYTHING, ReadScope
from core.values import Platform, TurnState
from tests.integration.store.scene import NOW, Scene, after

DAY_S = 86_400.0
UTC_ZONE = ZoneInfo("UTC")
# When everything that the tests ask on the first days is over.
LATER = NOW + timedelta(days=5)
FIRST, LAST = date(2026, 2, 1), date(2026, 3, 31)
COST: dict[str, Any] = {
    "prompt_tokens": 100,
    "picture_tokens": 60,
    "cached_tokens": 40,
    "completion_tokens": 7,
    "engine_s": 0.5,
}


def answer(
    scene: Scene,
    thread: str,
    at: float,
    *,
    person: str = "ann",
    took: float = 2.0,
    model: str = "m",
    platform: Platform = Platform.SLACK,
) -> str:
    """A turn that waited for a second and was answered `took` seconds after it was asked."""
    turn_id = scene.ask(thread, at=at, person=person, platform=platform)
    attempt = scene.run(turn_id, at=at + 1)
    outcome = Outcome(TurnState.ANSWERED, answer="A star.", model=model, first_token_at=after(at + 1.5), **COST)
    scene.finish(turn_id, attempt, outcome, at=at + took)
    return turn_id


def fail(scene: Scene, thread: str, at: float, *, person: str = "ann") -> str:
    turn_id = scene.ask(thread, at=at, person=person)
    scene.finish(turn_id, scene.run(turn_id, at=at), Outcome(TurnState.FAILED, error_code="broken"), at=at + 1)
    return turn_id


def report(store: Store, scope: ReadScope = EVERYTHING, now: datetime = LATER, **wanted: str) -> Report:
    with store.read() as repositories:
        return repositories.numbers(scope).report(WantedNumbers(FIRST, LAST, **wanted), UTC_ZONE, now)


def said(numbers: Numbers) -> dict[str, object]:
    return numbers.row()


def roll(store: Store, now: datetime = LATER) -> int:
    return count_due_days(store, UTC_ZONE, now)


def place(store: Store, thread: str, name: str, persona: str = "") -> str:
    """Put a conversation into a place; its id."""
    with store.write() as repositories:
        conversation = repositories.session.get_one(Conversation, thread)
        row = Place(workspace_id=conversation.workspace_id, external_id=name, persona=persona)
        repositories.session.add(row)
        repositories.session.flush()
        conversation.place_id = row.id
        return row.id


def workspace_of(store: Store, thread: str) -> str:
    with store.read() as repositories:
        return repositories.session.get_one(Conversation, thread).workspace_id


def busy(scene: Scene) -> dict[str, str]:
    """Three days of two places; ids by name."""
    one, two = scene.thread("one"), scene.thread("two", "bob")
    named = {
        "one": one,
        "two": two,
        "here": place(scene.store, one, "C1", "support"),
        "there": place(scene.store, two, "C2"),
    }
    for n in range(10):
        answer(scene, one, n * 60, took=2.0 + 2 * n)
    answer(scene, two, DAY_S, person="bob", took=40.0, model="other")
    named["failed"] = fail(scene, two, DAY_S + 600, person="bob")
    answer(scene, one, 2 * DAY_S, person="bob")
    return named


def test_kept_numbers_are_those_that_were_live(scene: Scene) -> None:
    busy(scene)
    # Three days of their own: nothing is settled for the first, second and third reader, and nothing kept.
    live = []
    for n in range(3):
        now = NOW + timedelta(days=n, hours=1)
        live.append(said(report(scene.store, now=now).days[now.date()]))
    assert roll(scene.store) == 5
    kept = report(scene.store)
    assert [said(kept.days[date(2026, 3, day)]) for day in (1, 2, 3)] == live
    assert (kept.waiting, kept.people) == (0, 2)
    assert {day: number for day, number in kept.people_by_day.items() if number} == {
        date(2026, 3, 1): 1,
        date(2026, 3, 2): 1,
        date(2026, 3, 3): 1,
    }
    whole = kept.whole
    assert (whole.questions, whole.answered, whole.failed, whole.other) == (13, 12, 1, 0)
    assert (whole.prompt_tokens, whole.completion_tokens, whole.engine_s) == (1200, 84, 6.0)
    first_day = kept.days[date(2026, 3, 1)]
    for found, exact in ((first_day.total.percentile(0.5), 10.0), (first_day.total.percentile(0.95), 20.0)):
        assert found == pytest.approx(exact, rel=ERROR)
    assert first_day.queue.percentile(0.5) == pytest.approx(1.0, rel=ERROR)
    assert first_day.first.percentile(0.95) == pytest.approx(1.5, rel=ERROR)
    assert roll(scene.store) == 0, "nothing is counted twice"


def test_by_platform_channel_mode_and_model(scene: Scene) -> None:
    named = busy(scene)
    web = scene.thread("other", platform=Platform.WEB)
    answer(scene, web, 60, platform=Platform.WEB)
    roll(scene.store)
    kept = report(scene.store)
    assert [(part.name, part.numbers.questions) for part in kept.platforms] == [("slack", 13), ("web", 1)]
    assert [(part.id, part.name, part.numbers.questions) for part in kept.channels] == [
        (named["here"], "C1", 11),
        (named["there"], "C2", 2),
    ]
    assert kept.channels[0].numbers.total.percentile(1.0) == pytest.approx(20.0, rel=ERROR)
    assert [(part.name, part.numbers.answered) for part in kept.modes] == [("support", 11), ("plain", 2)]
    assert {part.name: part.numbers.answered for part in kept.models} == {"m": 12, "other": 1, "": 0}
    assert report(scene.store, platform="web").whole.questions == 1
    assert report(scene.store, place=named["there"]).whole.questions == 2
    assert report(scene.store, model="other").whole.answered == 1
    assert report(scene.store, workspace=workspace_of(scene.store, web)).people == 1
    with scene.store.read() as repositories:
        people = repositories.numbers(EVERYTHING).people(WantedNumbers(FIRST, LAST, platform="slack"), UTC_ZONE, LATER)
    assert [(person.id, person.questions, person.failed, person.prompt_tokens) for person in people] == [
        ("ann", 10, 0, 1000),
        ("bob", 3, 1, 200),
    ]


@pytest.mark.parametrize("rolled", [False, True])
def test_what_is_beyond_the_scope_is_in_no_number(scene: Scene, rolled: bool) -> None:
    named = busy(scene)
    web = scene.thread("other", platform=Platform.WEB)
    answer(scene, web, 2 * DAY_S, platform=Platform.WEB)
    now = LATER if rolled else NOW + timedelta(days=2, hours=1)
    if rolled:
        roll(scene.store)
    third = date(2026, 3, 3)

    def counts(scope: ReadScope) -> tuple[int, int, list[str], list[str]]:
        found = report(scene.store, scope, now)
        numbers = found.whole if rolled else found.days[third]
        return numbers.questions, found.people, [p.name for p in found.platforms], [p.id for p in found.channels]

    here, there = named["here"], named["there"]
    team, other = workspace_of(scene.store, named["one"]), workspace_of(scene.store, web)
    everywhere, one, two = ["slack", "web"], frozenset({here}), frozenset({there})
    # Not yet counted, the second day is read live as well, and most was asked there then.
    channels = [here, there] if rolled else [there, here]
    assert counts(ReadScope()) == (0, 0, [], [])
    assert counts(EVERYTHING) == (14 if rolled else 2, 3 if rolled else 2, everywhere, channels)
    whole = ReadScope(workspaces=frozenset({team}), places=one)
    assert counts(whole) == (13 if rolled else 1, 2 if rolled else 1, ["slack"], channels)
    assert counts(ReadScope(places=one)) == (11 if rolled else 1, 2 if rolled else 1, ["slack"], [here])
    both = ReadScope(workspaces=frozenset({other}), places=two)
    assert counts(both) == (3 if rolled else 1, 2, everywhere, [there])
    with scene.store.read() as repositories:
        mine = repositories.numbers(ReadScope(places=frozenset({there})))
        people = mine.people(WantedNumbers(FIRST, LAST), UTC_ZONE, now)
        assert [person.id for person in people] == ["bob"]
        assert repositories.numbers(ReadScope()).first_day(UTC_ZONE, now) == now.date()


def test_late_feedback_a_retry_and_a_late_answer_count_on_the_day_of_the_question(scene: Scene) -> None:
    named, bob = busy(scene), scene.person("bob")
    roll(scene.store)
    second = date(2026, 3, 2)
    with scene.store.write() as repositories:
        repositories.feedback.set(named["failed"], bob, -1, now=LATER)
    assert roll(scene.store) == 1
    assert report(scene.store).days[second].bad == 1
    with scene.store.write() as repositories:
        repositories.feedback.set(named["failed"], bob, 0, now=LATER)
        assert repositories.turns.reopen(named["failed"], LATER)
    assert roll(scene.store) == 1
    numbers = report(scene.store).days[second]
    assert (numbers.questions, numbers.failed, numbers.bad, numbers.other) == (2, 0, 0, 1)
    attempt = scene.run(named["failed"], at=5 * DAY_S)
    scene.finish(named["failed"], attempt, Outcome(TurnState.ANSWERED, model="m", **COST), at=5 * DAY_S + 9)
    assert roll(scene.store) == 1
    numbers = report(scene.store).days[second]
    assert (numbers.answered, numbers.failed, numbers.prompt_tokens) == (2, 0, 200)
    # Measured from the question, as the transcript shows it.
    assert numbers.total.percentile(1.0) == pytest.approx(4 * DAY_S - 600 + 9, rel=ERROR)
    with scene.store.read() as repositories:
        assert repositories.session.scalars(select(NumbersStale)).all() == []


def test_what_an_erased_person_asked_stays_a_number_and_nothing_else(scene: Scene, blobs: BlobStore) -> None:
    named = busy(scene)
    roll(scene.store)
    before = said(report(scene.store).whole)
    erase_person(scene.store, blobs, scene.person("bob"), LATER)
    with scene.store.read() as repositories:
        bobs = select(NumbersPerson).where(NumbersPerson.person_id == scene.person("bob"))
        assert repositories.session.scalars(bobs).all() == []
    assert roll(scene.store) == 2
    after_all = report(scene.store)
    assert said(after_all.whole) == before
    assert after_all.people == 1
    assert [part.id for part in after_all.channels] == [named["here"]], "nobody can tell from the channel who it was"
    assert count_all_again(scene.store, UTC_ZONE, LATER) == 5
    assert said(report(scene.store).whole) == before
    with scene.store.read() as repositories:
        everybody = repositories.numbers(EVERYTHING).people(WantedNumbers(FIRST, LAST), UTC_ZONE, LATER)
        assert [person.id for person in everybody] == ["ann"]
        usage = repositories.numbers(EVERYTHING).usage(date(2026, 3, 2), WantedNumbers(FIRST, LAST), UTC_ZONE)
        assert [(row.person_name, row.place, row.numbers.questions) for row in usage] == [
            ("(erased)", None, 1),
            ("(erased)", None, 1),
        ]
        mine = repositories.numbers(ReadScope(places=frozenset({named["there"]})))
        assert mine.usage(date(2026, 3, 2), WantedNumbers(FIRST, LAST), UTC_ZONE) == []


def test_somebody_erased_on_the_day_itself(scene: Scene, blobs: BlobStore) -> None:
    thread = scene.thread()
    for n in range(3):
        answer(scene, thread, n * 60)
    soon = NOW + timedelta(hours=1)
    erase_person(scene.store, blobs, scene.person(), soon)
    answer(scene, scene.thread(), 3000)
    assert report(scene.store, now=soon).whole.questions == 4
    roll(scene.store)
    assert (report(scene.store).whole.questions, report(scene.store).people) == (4, 1)


def test_of_two_that_count_a_day_at_once_the_later_look_counts(scene: Scene) -> None:
    named, bob = busy(scene), scene.person("bob")
    store = scene.store
    with store.read() as repositories:
        (slow,) = [due for due in repositories.rollup.due(UTC_ZONE, LATER) if due.day == date(2026, 3, 2)]
        seen = repositories.rollup.count(slow.day, UTC_ZONE)
    with store.write() as repositories:
        repositories.feedback.set(named["failed"], bob, 1, now=LATER)
    assert roll(store) == 5
    with store.write() as repositories:
        assert not repositories.rollup.put(slow, seen, UTC_ZONE, LATER)
    assert report(store).days[slow.day].good == 1


def test_a_mark_that_comes_while_a_day_is_counted_has_it_counted_again(scene: Scene) -> None:
    named, bob = busy(scene), scene.person("bob")
    store = scene.store
    with store.read() as repositories:
        due = next(due for due in repositories.rollup.due(UTC_ZONE, LATER) if due.day == date(2026, 3, 2))
        seen = repositories.rollup.count(due.day, UTC_ZONE)
    with store.write() as repositories:
        repositories.session.execute(delete(NumbersStale))
        repositories.feedback.set(named["failed"], bob, 1, now=LATER)
    with store.write() as repositories:
        assert repositories.rollup.put(due, seen, UTC_ZONE, LATER)
    assert report(store).days[due.day].good == 0
    roll(store)
    assert report(store).days[due.day].good == 1


def test_several_processes_count_the_same_days(scene: Scene) -> None:
    busy(scene)
    start, done = threading.Barrier(4), []

    def count() -> None:
        start.wait()
        done.append(count_due_days(scene.store, UTC_ZONE, LATER))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 5
    assert report(scene.store).whole.questions == 13
    with scene.store.read() as repositories:
        assert {row.version for row in repositories.session.scalars(select(NumbersDay))} == {1}


def test_a_day_is_not_counted_before_it_has_settled(scene: Scene) -> None:
    answer(scene, scene.thread(), 0)
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert roll(scene.store, midnight + timedelta(minutes=29)) == 0
    assert report(scene.store, now=midnight + timedelta(minutes=29)).whole.questions == 1, "it is counted live"
    assert roll(scene.store, midnight + timedelta(minutes=30)) == 1
    assert report(scene.store, now=midnight + timedelta(minutes=31)).whole.questions == 1


def test_days_that_wait_to_be_counted_are_said_to_be_missing(scene: Scene) -> None:
    busy(scene)
    found = report(scene.store)
    # The last day that has settled is read live until it is counted.
    assert (found.waiting, found.whole.questions) == (4, 0)
    assert count_due_days(scene.store, UTC_ZONE, LATER, most=3) == 3
    assert (report(scene.store).waiting, report(scene.store).whole.questions) == (2, 1)


def test_another_time_zone_has_every_day_counted_again(scene: Scene) -> None:
    thread = scene.thread()
    # Noon in UTC, and eleven in the evening, which is the next day in Shanghai.
    answer(scene, thread, 0)
    answer(scene, thread, 11 * 3600)
    roll(scene.store)
    zone = zone_of("Asia/Shanghai")
    assert count_due_days(scene.store, zone, LATER) > 0
    with scene.store.read() as repositories:
        found = repositories.numbers(EVERYTHING).report(WantedNumbers(FIRST, LAST), zone, LATER)
    assert {day.day: numbers.questions for day, numbers in found.days.items() if numbers.questions} == {1: 1, 2: 1}
    assert count_due_days(scene.store, zone, LATER) == 0


def test_erasing_everything_leaves_no_live_numbers_behind(scene: Scene) -> None:
    busy(scene)
    roll(scene.store)
    with scene.store.write() as repositories:
        # As a rule for old conversations would do it: without keeping anything.
        repositories.session.execute(delete(Turn))
    roll(scene.store)
    assert report(scene.store).whole.questions == 0
    with scene.store.write() as repositories:
        repositories.session.execute(delete(Workspace))
        assert repositories.session.scalars(select(NumbersDaily)).all() == []
        assert repositories.session.scalars(select(NumbersPerson)).all() == []


def test_the_queue_within_the_scope(scene: Scene) -> None:
    one, two = scene.thread("one"), scene.thread("two")
    here = place(scene.store, one, "C1")
    scene.ask(one, at=0)
    scene.run(scene.ask(two, at=5), at=5)
    with scene.store.read() as repositories:
        everything = repositories.numbers(EVERYTHING).standing(after(30))
        mine = repositories.numbers(ReadScope(places=frozenset({here}))).standing(after(30))
        nothing = repositories.numbers(ReadScope()).standing(after(30))
    assert (everything.counts, everything.oldest_s) == ({"gathering": 0, "ready": 1, "running": 1}, 30.0)
    assert mine.counts["running"] == 0
    assert (sum(nothing.counts.values()), nothing.oldest_s) == (0, 0.0)
