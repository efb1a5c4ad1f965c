"""What admins say about turns: kept, limited to their scope, and gone with the turn."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.admins import Role
from core.errors import NotFound, RequestError, WrongParameter
from core.reviewing import CORRECTION_MAX_CHARS, MOST_NOTES, NOTE_MAX_CHARS, REASON_MAX_CHARS, Rule
from core.store.admin_tables import Admin
from core.store.database import Repositories
from core.store.models import Base, Conversation, table_of
from core.store.review.filters import NOBODY, Wanted
from core.store.review.scope import EVERYTHING, ReadScope
from core.store.review_tables import (
    Correction,
    Judgement,
    QueueClaim,
    QueueItem,
    TurnFlag,
    TurnLabel,
    TurnNote,
)
from core.store.reviewing import ReviewingRepository
from core.store.words import sought_words
from core.values import new_id
from tests.integration.store.scene import NOW, Scene, after

NOTHING = ReadScope()


def admin(scene: Scene, name: str = "olga") -> str:
    """Id of an admin."""
    with scene.store.write() as repositories:
        known: Admin | None = repositories.admins.by_name(name)
        return (known or repositories.admins.add(name, Role.REVIEWER, everywhere=True)).id


def label(scene: Scene, name: str = "Wrong colour") -> str:
    """Id of a new label."""
    with scene.store.write() as repositories:
        return repositories.labels.add(name, NOW).id


def as_admin(repositories: Repositories, admin_id: str, scope: ReadScope = EVERYTHING) -> ReviewingRepository:
    return repositories.reviewing(scope, admin_id)


def count(scene: Scene, table: type[Base]) -> int:
    with scene.store.read() as repositories:
        return repositories.session.query(table_of(table)).count()


def test_everything_that_is_said_is_read_again(scene: Scene) -> None:
    turn, olga, paul = scene.answered(scene.thread()), admin(scene), admin(scene, "paul")
    label(scene)
    with scene.store.write() as repositories:
        mine, his = as_admin(repositories, olga), as_admin(repositories, paul)
        mine.flag(turn, "", NOW)
        mine.flag(turn, " odd ", after(1))
        his.flag(turn, "", NOW)
        mine.put_label(turn, "wrong COLOUR", NOW)
        mine.put_label(turn, "Wrong colour", NOW)
        his.put_label(turn, "Wrong colour", NOW)
        mine.note(turn, "a\r\nb", NOW)
        mine.correct(turn, "A red star.", NOW)
    with scene.store.write() as repositories:
        mine, his = as_admin(repositories, olga), as_admin(repositories, paul)
        his.correct(turn, "A blue star.", after(2))
        his.correct(turn, "A blue star.", after(3))
        his.judge(turn, "good", NOW)
        his.judge(turn, "bad", after(1))
    with scene.store.read() as repositories:
        said = repositories.review(EVERYTHING).remarks([turn])[turn]
    assert [(one.admin, one.text) for one in said.flags] == [("olga", "odd"), ("paul", "")]
    assert [(one.admin, one.text) for one in said.labels] == [("olga", "Wrong colour"), ("paul", "Wrong colour")]
    assert [(one.text, one.edited_at) for one in said.notes] == [("a\nb", None)]
    assert [(one.admin, one.text) for one in said.corrections] == [("paul", "A blue star."), ("olga", "A red star.")]
    assert said.corrected is not None
    assert said.corrected.text == "A blue star."
    assert [(one.admin, one.text) for one in said.judgements] == [("paul", "bad")]
    assert not said.is_hidden_from(olga)


def test_everything_can_be_taken_back(scene: Scene) -> None:
    turn, olga = scene.answered(scene.thread()), admin(scene)
    label(scene)
    with scene.store.write() as repositories:
        mine = as_admin(repositories, olga)
        mine.flag(turn, "x", NOW)
        mine.put_label(turn, "Wrong colour", NOW)
        mine.note(turn, "a note", NOW)
        mine.correct(turn, "B", NOW)
        mine.judge(turn, "unsure", NOW)
        note = repositories.review(EVERYTHING).remarks([turn])[turn].notes[0]
        mine.change_note(note.id, "another", after(5))
        changed = repositories.review(EVERYTHING).remarks([turn])[turn].notes[0]
        assert (changed.text, changed.edited_at) == ("another", after(5))
    with scene.store.write() as repositories:
        mine = as_admin(repositories, olga)
        mine.unflag(turn)
        mine.take_label(turn, "wrong colour")
        mine.change_note(note.id, " ", NOW)
        mine.correct(turn, "", NOW)
        mine.judge(turn, "", NOW)
        said = repositories.review(EVERYTHING).remarks([turn])[turn]
        assert (said.flags, said.labels, said.notes, said.judgements, said.corrected) == ([], [], [], [], None)
        # What was corrected once is its history.
        assert [one.text for one in said.corrections] == ["", "B"]


def test_nobody_touches_what_others_said(scene: Scene) -> None:
    turn, olga, paul = scene.answered(scene.thread()), admin(scene), admin(scene, "paul")
    label(scene)
    with scene.store.write() as repositories:
        mine = as_admin(repositories, olga)
        mine.flag(turn, "", NOW)
        mine.put_label(turn, "Wrong colour", NOW)
        mine.note(turn, "mine", NOW)
        note = repositories.review(EVERYTHING).remarks([turn])[turn].notes[0].id
        his = as_admin(repositories, paul)
        his.unflag(turn)
        his.take_label(turn, "Wrong colour")
        with pytest.raises(NotFound, match="no such note of yours"):
            his.change_note(note, "his", NOW)
        said = repositories.review(EVERYTHING).remarks([turn])[turn]
        assert (len(said.flags), len(said.labels), said.notes[0].text) == (1, 1, "mine")


def test_beyond_the_scope_there_is_nothing(scene: Scene) -> None:
    thread = scene.thread()
    turn, olga = scene.answered(thread), admin(scene)
    label(scene)
    with scene.store.write() as repositories:
        mine = as_admin(repositories, olga)
        mine.flag(turn, "", NOW)
        mine.note(turn, "x", NOW)
        mine.assign(thread, "olga")
        note = repositories.review(EVERYTHING).remarks([turn])[turn].notes[0].id
    acts: list[Callable[[ReviewingRepository], object]] = [
        lambda by: by.flag(turn, "", NOW),
        lambda by: by.unflag(turn),
        lambda by: by.put_label(turn, "Wrong colour", NOW),
        lambda by: by.take_label(turn, "Wrong colour"),
        lambda by: by.note(turn, "x", NOW),
        lambda by: by.change_note(note, "y", NOW),
        lambda by: by.correct(turn, "x", NOW),
        lambda by: by.judge(turn, "good", NOW),
        lambda by: by.set_state(thread, "done"),
        lambda by: by.assign(thread, "olga"),
    ]
    for scope in (NOTHING, ReadScope(workspaces=frozenset([new_id()]), places=frozenset([new_id()]))):
        with scene.store.write() as repositories:
            beyond, review = as_admin(repositories, olga, scope), repositories.review(scope)
            for act in acts:
                with pytest.raises(NotFound):
                    act(beyond)
            assert review.remarks([turn]) == {}
            assert review.marks([thread]) == {}
            assert review.review_choices().assigned == []
    with scene.store.read() as repositories:
        assert len(repositories.review(EVERYTHING).remarks([turn])[turn].notes) == 1


def test_what_is_wrong_is_refused_with_a_reason(scene: Scene) -> None:
    thread, olga = scene.thread(), admin(scene)
    turn = scene.answered(thread)
    gone = label(scene)
    with scene.store.write() as repositories:
        repositories.labels.retire(gone, NOW)
        mine = as_admin(repositories, olga)
        for act, says in (
            (lambda: mine.flag(turn, "x" * (REASON_MAX_CHARS + 1), NOW), "at most 1000"),
            (lambda: mine.put_label(turn, "Wrong colour", NOW), "no such label"),
            (lambda: mine.put_label(turn, "never", NOW), "no such label"),
            (lambda: mine.note(turn, " ", NOW), "Write the note first"),
            (lambda: mine.note(turn, "x" * (NOTE_MAX_CHARS + 1), NOW), "at most 5000"),
            (lambda: mine.correct(turn, "x" * (CORRECTION_MAX_CHARS + 1), NOW), "at most 20000"),
            (lambda: mine.judge(turn, "great", NOW), "no verdict"),
            (lambda: mine.set_state(thread, "great"), "no state"),
            (lambda: mine.assign(thread, "nobody known"), "no admin"),
        ):
            with pytest.raises(WrongParameter, match=says):
                act()
        for n in range(MOST_NOTES):
            mine.note(turn, f"{n}", NOW)
        with pytest.raises(RequestError, match="50 notes"):
            mine.note(turn, "one more", NOW)


def test_an_answer_that_is_still_written_is_not_judged(scene: Scene) -> None:
    turn, olga = scene.ask(scene.thread()), admin(scene)
    with scene.store.write() as repositories:
        mine = as_admin(repositories, olga)
        acts: list[Callable[[], object]] = [
            lambda: mine.judge(turn, "good", NOW),
            lambda: mine.correct(turn, "x", NOW),
        ]
        for act in acts:
            with pytest.raises(RequestError, match="still being written"):
                act()
        mine.flag(turn, "", NOW)
        mine.note(turn, "slow today", NOW)


def test_a_review_begins_goes_on_and_ends(scene: Scene) -> None:
    thread, olga = scene.thread(), admin(scene)
    turn = scene.answered(thread)

    def state() -> tuple[str, int, str | None]:
        with scene.store.read() as repositories:
            found = repositories.session.get(Conversation, thread)
            assert found is not None
            return found.review_state, found.reviewed_seq, found.assigned_to

    assert state() == ("new", 0, None)
    with scene.store.write() as repositories:
        as_admin(repositories, olga).note(turn, "x", NOW)
    assert state() == ("in_review", 0, None)
    with scene.store.write() as repositories:
        as_admin(repositories, olga).set_state(thread, "done")
    assert state() == ("done", 1, None)
    with scene.store.write() as repositories:
        # Nothing of it is new again because something is added.
        as_admin(repositories, olga).note(turn, "y", NOW)
        assert as_admin(repositories, olga).assign(thread, "olga") == olga
    assert state() == ("done", 1, olga)
    with scene.store.write() as repositories:
        as_admin(repositories, olga).set_state(thread, "new")
        assert as_admin(repositories, olga).assign(thread, "") == ""
    assert state() == ("new", 0, None)
    with scene.store.write() as repositories:
        repositories.admins.add("boss", Role.OWNER)
        repositories.admins.disable(olga, NOW)
        with pytest.raises(WrongParameter, match="who may sign in"):
            as_admin(repositories, olga).assign(thread, "olga")


def test_the_filters_of_reviewing(scene: Scene) -> None:
    olga, paul, odd = admin(scene), admin(scene, "paul"), label(scene, "Odd")
    threads = [scene.thread(f"shape {n}") for n in range(4)]
    turns = [scene.answered(thread, at=n) for n, thread in enumerate(threads)]
    with scene.store.write() as repositories:
        mine = as_admin(repositories, olga)
        mine.flag(turns[0], "", NOW)
        mine.put_label(turns[1], "odd", NOW)
        mine.assign(threads[2], "olga")
        as_admin(repositories, paul).assign(threads[3], "paul")
        mine.set_state(threads[3], "done")
    for wanted, expected in (
        (Wanted(flagged=True), [0]),
        (Wanted(label=odd), [1]),
        (Wanted(label=new_id()), []),
        (Wanted(review="new"), []),
        (Wanted(review="in_review"), [2, 1, 0]),
        (Wanted(review="done"), [3]),
        (Wanted(assigned=olga), [2]),
        (Wanted(assigned=NOBODY), [1, 0]),
        (Wanted(assigned=paul, review="done"), [3]),
        (Wanted(flagged=True, label=odd), []),
        (Wanted(flagged=True, state="answered"), [0]),
    ):
        with scene.store.read() as repositories:
            review = repositories.review(EVERYTHING)
            rows = review.inbox(wanted).rows
            hits = review.search(sought_words("what is this"), wanted).rows
        found = [threads.index(row.conversation.id) for row in rows]
        assert found == expected, wanted
        assert sorted(threads.index(hit.conversation.id) for hit in hits) == sorted(expected), wanted
    with scene.store.read() as repositories:
        marks = repositories.review(EVERYTHING).marks(threads)
        choices = repositories.review(EVERYTHING).review_choices()
    assert [(m.flags, m.labels, m.corrected, m.assigned_to) for m in (marks[thread] for thread in threads)] == [
        (1, [], 0, ""), (0, ["Odd"], 0, ""), (0, [], 0, "olga"), (0, [], 0, "paul"),
    ]  # fmt: skip
    assert choices.assigned == [(olga, "olga"), (paul, "paul")]


def test_labels_are_made_once_renamed_and_retired(scene: Scene) -> None:
    with scene.store.write() as repositories:
        labels = repositories.labels
        first = labels.add(" Wrong  colour ", NOW)
        assert first.name == "Wrong colour"
        with pytest.raises(RequestError, match="already"):
            labels.add("wrong COLOUR", NOW)
        second = labels.add("颜色", NOW)
        with pytest.raises(RequestError, match="another label"):
            labels.rename(second.id, "WRONG colour")
        assert labels.rename(first.id, "WRONG colour").name == "WRONG colour"
        labels.retire(first.id, NOW)
        with pytest.raises(RequestError, match=r"\(or was\)"):
            labels.add("wrong colour", NOW)
        labels.retire(first.id, None)
        assert [one.name for one in labels.list() if one.retired_at is None] == ["WRONG colour", "颜色"]
        acts: list[Callable[[], object]] = [
            lambda: labels.rename(new_id(), "x"),
            lambda: labels.retire(new_id(), NOW),
        ]
        for act in acts:
            with pytest.raises(NotFound):
                act()


def test_forgetting_somebody_takes_what_was_said_about_his_turns(scene: Scene) -> None:
    thread, olga = scene.thread(), admin(scene)
    kept, gone = scene.answered(thread, person="bo"), scene.answered(thread, at=5)
    label(scene)
    with scene.store.write() as repositories:
        queue = repositories.queues
        made = queue.add("all", Rule.FLAGGED, {}, workspace_id=None, judges=1, since=NOW - timedelta(1), now=NOW)
        mine = as_admin(repositories, olga)
        for turn in (kept, gone):
            mine.flag(turn, "quotes him", NOW)
            mine.put_label(turn, "Wrong colour", NOW)
            mine.note(turn, "quotes him", NOW)
            mine.correct(turn, "quotes him", NOW)
            mine.judge(turn, "bad", NOW)
            item = QueueItem(queue_id=made.id, turn_id=turn, why="")
            repositories.session.add(item)
            repositories.session.flush()
            queue.finish(made.id, item.id, EVERYTHING, olga, NOW)
    tables: tuple[type[Base], ...] = (TurnFlag, TurnLabel, TurnNote, Correction, Judgement, QueueItem, QueueClaim)
    assert [count(scene, table) for table in tables] == [2] * len(tables)
    with scene.store.write() as repositories:
        erasures, person = repositories.erasures, scene_person(repositories, gone)
        erasures.erase(erasures.begin_person(person, NOW), erasures.turns_of(person), str)
    assert [count(scene, table) for table in tables] == [1] * len(tables)
    with scene.store.read() as repositories:
        assert list(repositories.review(EVERYTHING).remarks([kept, gone])) == [kept]


def scene_person(repositories: Repositories, turn_id: str) -> str:
    turn = repositories.turns.get(turn_id)
    assert turn is not None
    return turn.person_id
