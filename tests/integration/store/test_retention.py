"""Removal by age: exactly what the dry run said goes, with everything of it, and nothing else."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import make_url, select, text, update
from sqlalchemy.exc import DBAPIError

from core.admins import Action
from core.conversation.erasure import erase_conversation, erase_person, finish_erasures
from core.conversation.retention import STAGES, TIDY, WORDS, Retention
from core.conversation.titles import title_of
from core.errors import LostLease, NotFound, PictureRemoved, StoreError
from core.media.blobs import BlobStore
from core.store.database import Store
from core.store.models import Attachment, Conversation, Erasure, InboundEvent, Person, Turn, Usage
from core.store.numbers.roll import count_all_again, count_due_days
from core.store.numbers_tables import NumbersDaily, NumbersPerson
from core.store.outcome import Outcome
from core.store.retention.figures import Figures
from core.store.retention.going import Going
from core.store.retention.rules import Rules, What
from core.store.retention_tables import AuditRemoval, RetentionRun
from core.store.review.filters import Wanted
from core.store.review.scope import EVERYTHING
from core.store.words import sought_words
from core.values import AttachmentState, Platform, TurnState, utc_now
from tests.integration.store.scene import Scene

DAY = 86_400.0
NOW = utc_now()
# Blobs are removed an hour after they were put.
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path / 'blobs'}")


class Past:
    """What people asked days ago."""

    def __init__(self, scene: Scene, blobs: BlobStore) -> None:
        self.scene, self.store, self.blobs = scene, scene.store, blobs
        self.count = 0

    def workspace(self, name: str = "team") -> str:
        with self.store.write() as repositories:
            return repositories.people.workspace(Platform.SLACK, name).id

    def asked(
        self,
        days: float,
        *,
        thread: str = "thread",
        team: str = "team",
        person: str = "ann",
        words: str = "What?",
        state: TurnState = TurnState.DELIVERED,
        pictures: tuple[bytes, ...] = (),
        **values: Any,
    ) -> str:
        """A turn of so many days ago; its id."""
        at = NOW - timedelta(days=days)
        self.count += 1
        with self.store.write() as repositories:
            workspace = repositories.people.workspace(Platform.SLACK, team)
            asker = repositories.people.person(workspace.id, person, person)
            conversation = repositories.conversations.get_or_create(workspace.id, thread, asker.id, title=words)
            turn = repositories.turns.add(conversation.id, asker.id, words, now=at)
            repositories.inbound.first(Platform.SLACK, f"event-{self.count}", turn.id)
            repositories.usage.add(
                workspace_id=workspace.id, person_id=asker.id, turn_id=turn.id, attempt=1, model="m", prompt_tokens=7,
                picture_tokens=0, cached_tokens=0, completion_tokens=3, engine_s=0.1, now=at,
            )  # fmt: skip
            changed = {"state": state, "answer": f"{words} Yes.", **values}
            repositories.session.execute(update(Turn).where(Turn.id == turn.id).values(**changed))
            for position, data in enumerate(pictures):
                repositories.attachments.add(
                    turn.id, position, state=AttachmentState.STORED, name="secret.png", blob_key=self.blobs.put(data),
                    byte_size=len(data),
                )  # fmt: skip
        return turn.id

    def rule(self, what: What, days: int | None, workspace_id: str | None = None) -> None:
        with self.store.write() as repositories:
            repositories.retention.set_rule(workspace_id, what, days, by="olga", shown=Figures(), now=NOW)

    def foreseen(self) -> dict[str, dict[str, Any]]:
        """What a dry run says of all rules."""
        with self.store.read() as repositories:
            rules = repositories.retention.rules()
            told = {w: repositories.retention.dry_run(rules, w, None, utc_now(), everywhere=True) for w in What}
        return {what.value: figures.as_json() for what, figures in told.items() if figures.rows}

    def run(self, owner: str = "worker", batch: int = 100) -> dict[str, dict[str, Any]]:
        """A whole run; what it says that it removed."""
        run = Retention(self.store, self.blobs, owner, lambda _: False, batch=batch).run_now("test")
        assert run is not None
        assert run.finished_at is not None
        return {stage: figures for stage, figures in run.removed.items() if stage not in (WORDS, TIDY)}

    def turns(self) -> set[str]:
        with self.store.read() as repositories:
            return set(repositories.session.scalars(select(Turn.id)))

    def found(self, words: str) -> int:
        with self.store.read() as repositories:
            hits = repositories.review(EVERYTHING).search(sought_words(words), Wanted())
        return len(hits.rows)


@pytest.fixture
def past(scene: Scene, blobs: BlobStore) -> Past:
    return Past(scene, blobs)


def age_blobs(past: Past, tmp_path: Path) -> None:
    """Make all blobs old enough to be removed at once."""
    for file in (tmp_path / "blobs").rglob("*"):
        if file.is_file():
            os.utime(file, (0, 0))


def test_the_dry_run_says_exactly_what_the_run_removes(past: Past, tmp_path: Path) -> None:
    team, other = past.workspace(), past.workspace("other")
    same = b"a picture that two workspaces have"
    past.asked(40, pictures=(b"one", same), words="zebrafish one")
    past.asked(39, pictures=(b"one",), words="zebrafish two")
    past.asked(5, words="kept", pictures=(b"four",), thinking="hm")
    past.asked(40, thread="whole", words="zebrafish three", thinking="hm")
    past.asked(40, thread="elsewhere", team="other", pictures=(same, b"two"), words="zebra four", thinking="hm")
    past.asked(12, thread="elsewhere", team="other", pictures=(b"three",))
    refused = past.asked(20, thread="elsewhere", team="other")
    with past.store.write() as repositories:
        repositories.attachments.add(refused, 0, state=AttachmentState.REFUSED, name="secret.zip", error_code="x")
    past.rule(What.TURNS, 30)
    past.rule(What.TURNS, None, other)
    past.rule(What.PICTURES, 10)
    past.rule(What.PICTURES, 3, team)
    past.rule(What.THINKING, 3)
    past.rule(What.FILES, 3)
    past.rule(What.USAGE, 6)
    age_blobs(past, tmp_path)
    foreseen = past.foreseen()
    assert foreseen["turns"]["rows"] == 3
    assert foreseen["turns"]["conversations"] == 1
    assert foreseen["turns"]["pictures"] == 3
    # "one" alone: the other one is named elsewhere until the pictures go.
    assert foreseen["turns"]["byte_size"] == len(b"one")
    assert foreseen["pictures"]["rows"] == 4
    assert foreseen["pictures"]["byte_size"] == len(same) + len(b"two") + len(b"three") + len(b"four")
    assert foreseen["thinking"]["rows"] == 2
    assert foreseen["files"]["rows"] == 1
    assert foreseen["usage"]["rows"] == 6
    assert past.run(batch=2) == foreseen
    assert past.foreseen() == {}
    assert len(past.turns()) == 4
    assert list((tmp_path / "blobs").rglob("*/*/*")) == []


def test_nothing_goes_without_a_rule(past: Past) -> None:
    turn_id = past.asked(4000, pictures=(b"one",))
    assert past.run() == {}
    assert past.turns() == {turn_id}


def test_a_workspace_may_keep_for_ever_what_the_others_do_not(past: Past) -> None:
    past.asked(9, words="goes")
    kept = past.asked(9, team="other", words="stays")
    past.rule(What.TURNS, 7)
    past.rule(What.TURNS, None, past.workspace("other"))
    past.run()
    assert past.turns() == {kept}
    past.rule(What.TURNS, 8, past.workspace("other"))
    past.run()
    assert past.turns() == set()


def test_words_that_went_are_found_nowhere(past: Past, tmp_path: Path) -> None:
    for n in range(30):
        past.asked(40, words=f"zebrafish {n}", thread=f"{n % 3}", thinking="zebrafish", pictures=(b"z%d" % n,))
    past.asked(1, words="goldfish")
    past.rule(What.TURNS, 30)
    assert past.found("zebrafish") == 30
    past.run(batch=7)
    assert (past.found("zebrafish"), past.found("goldfish")) == (0, 1)
    url = make_url(str(past.store._engine.url))
    if url.drivername.startswith("sqlite"):
        file = Path(str(url.database))
        raw = b"".join(f.read_bytes() for f in file.parent.glob(f"{file.name}*"))
        assert b"zebrafish" not in raw
        assert b"goldfish" in raw


def test_a_picture_goes_before_the_words_and_the_turn_says_so(past: Past, tmp_path: Path) -> None:
    turn_id = past.asked(9, pictures=(b"one", b"two"), words="Look!")
    with past.store.read() as repositories:
        key = repositories.turns.get(turn_id).attachments[0].blob_key  # type: ignore[union-attr]
    later = past.asked(1, observations=[{"picture": key, "model": "eyes", "text": "A secret."}])
    past.rule(What.PICTURES, 7)
    age_blobs(past, tmp_path)
    past.run()
    turn = past.scene.turn(turn_id)
    assert (turn.question, turn.answer) == ("Look!", "Look! Yes.")
    said = [(a.state, a.name, a.blob_key, a.error_code) for a in turn.attachments]
    assert said == [(AttachmentState.REFUSED, "", "", PictureRemoved.code)] * 2
    assert past.scene.turn(later).observations == []
    assert not past.blobs.exists(key)
    # What it says stays, also where the names of unread files go.
    past.rule(What.FILES, 7)
    assert past.run() == {}
    assert len(past.scene.turn(turn_id).attachments) == 2


def test_the_title_goes_with_the_question_that_it_comes_from(past: Past) -> None:
    past.asked(9, words="My secret question")
    stays = past.asked(1, words="Another one")
    past.rule(What.TURNS, 7)
    past.run()
    with past.store.read() as repositories:
        (conversation,) = repositories.session.query(Conversation)
    assert (conversation.title, past.turns()) == ("Another one", {stays})


def test_a_held_conversation_stays_whole(past: Past) -> None:
    held = past.asked(99, words="evidence", pictures=(b"one",), thinking="hm")
    past.asked(99, thread="other", words="goes")
    for what in (What.TURNS, What.PICTURES, What.THINKING, What.USAGE):
        past.rule(what, 7)
    conversation_id, person_id = past.scene.turn(held).conversation_id, past.scene.turn(held).person_id
    with past.store.write() as repositories:
        assert repositories.retention.set_hold(conversation_id, "a lawsuit", "olga", NOW)
        assert not repositories.retention.set_hold("0" * 32, "a lawsuit", "olga", NOW)
    assert past.foreseen()["turns"]["rows"] == 1
    past.run()
    turn = past.scene.turn(held)
    assert (past.turns(), turn.thinking, turn.attachments[0].state) == ({held}, "hm", AttachmentState.STORED)
    with past.store.read() as repositories:
        assert [row.person_id for row in repositories.session.query(Usage).filter_by(turn_id=held)] == [person_id]
    # Neither does its person get it erased, and is told so.
    erased = erase_person(past.store, past.blobs, person_id, LATER)
    assert (erased.turn_ids, erased.held) == ((), 1)
    with past.store.write() as repositories:
        assert repositories.retention.end_hold(conversation_id)
        assert not repositories.retention.end_hold(conversation_id)
    past.run()
    assert past.turns() == set()


def test_a_hold_that_comes_while_a_person_is_erased_counts(past: Past) -> None:
    held, other = past.asked(9, thread="held"), past.asked(9, thread="other")
    conversation_id = past.scene.turn(held).conversation_id
    with past.store.write() as repositories:
        person_id = past.scene.turn(held).person_id
        chosen = repositories.erasures.turns_of(person_id)
        record = repositories.erasures.begin_person(person_id, NOW)
    assert set(chosen) == {held, other}
    with past.store.write() as repositories:
        assert repositories.retention.set_hold(conversation_id, "court", "olga", NOW)
    with past.store.write() as repositories:
        assert repositories.erasures.erase(record, chosen, title_of).turns == 1
    assert past.turns() == {held}


def test_turns_that_are_open_stay(past: Past) -> None:
    states = (TurnState.GATHERING, TurnState.READY, TurnState.RUNNING)
    turn_ids = {past.asked(99, state=state, thread=state) for state in states}
    past.rule(What.TURNS, 7)
    assert past.foreseen() == {}
    past.run()
    assert past.turns() == turn_ids


def test_what_changes_between_looking_and_removing_is_looked_at_again(past: Past) -> None:
    again = past.asked(99, state=TurnState.FAILED)
    held = past.asked(99, thread="held")
    goes = past.asked(99, thread="goes")
    past.rule(What.TURNS, 7)
    with past.store.read() as repositories:
        going = Going(repositories.retention.rules(), NOW)
        batch = repositories.retention.due(going, What.TURNS, None, 100)
    assert set(batch.ids) == {again, held, goes}
    with past.store.write() as repositories:
        assert repositories.turns.reopen(again, NOW)
    with past.store.write() as repositories:
        repositories.retention.set_hold(past.scene.turn(held).conversation_id, "a lawsuit", "olga", NOW)
    assert past.scene.claim(again) is not None
    with past.store.write() as repositories:
        removed = repositories.retention.remove(going, What.TURNS, batch.ids, str, NOW)
    assert removed.figures.rows == 1
    assert past.turns() == {again, held}
    # The answer is written as ever.
    past.scene.finish(again, past.scene.turn(again).attempt, Outcome(TurnState.ANSWERED, answer="At last."))


def test_a_rule_that_is_taken_back_counts_at_once(past: Past) -> None:
    kept = {past.asked(99, thread=f"{n}") for n in range(6)}
    past.rule(What.TURNS, 7)
    rounds: list[int] = []

    def change_of_mind(_: float) -> bool:
        with past.store.write() as repositories:
            if not rounds and len(repositories.session.scalars(select(Turn.id)).all()) < 6:
                rounds.append(1)
                repositories.retention.drop_rule(None, What.TURNS)
        return False

    Retention(past.store, past.blobs, "worker", change_of_mind, batch=2).run_now("test")
    assert len(past.turns() & kept) == 4


def test_an_event_that_comes_again_is_still_known(past: Past) -> None:
    past.asked(99)
    past.rule(What.TURNS, 1)
    past.rule(What.EVENTS, 14)
    past.run()
    with past.store.write() as repositories:
        event = repositories.inbound.find(Platform.SLACK, "event-1")
        assert event is not None
        assert (event.turn_id, event.content_hash) == (None, "")
        assert not repositories.inbound.first(Platform.SLACK, "event-1")
        repositories.session.execute(update(InboundEvent).values(received_at=NOW - timedelta(days=15)))
    assert past.foreseen()["events"]["rows"] == 1
    assert past.run()["events"]["rows"] == 1
    with past.store.read() as repositories:
        assert repositories.inbound.find(Platform.SLACK, "event-1") is None


def test_usage_keeps_its_numbers(past: Past) -> None:
    past.asked(9)
    past.rule(What.USAGE, 7)
    past.run()
    with past.store.read() as repositories:
        (row,) = repositories.session.query(Usage)
        assert (row.person_id, row.prompt_tokens, row.completion_tokens) == ("", 7, 3)


def test_who_asked_goes_from_the_numbers_with_the_usage_and_does_not_come_back(past: Past) -> None:
    past.asked(9, thread="1")
    past.asked(9, thread="2", team="other")
    past.asked(4, thread="3")
    utc = ZoneInfo("UTC")
    count_due_days(past.store, utc, NOW)

    def who() -> list[tuple[str, int]]:
        with past.store.read() as repositories:
            rows = repositories.session.query(NumbersPerson).order_by(NumbersPerson.day, NumbersPerson.workspace_id)
            return [(row.workspace_id, (NOW.date() - row.day).days) for row in rows]

    def questions() -> int:
        with past.store.read() as repositories:
            return sum(row.questions for row in repositories.session.query(NumbersDaily) if row.whole)

    team, other = past.workspace(), past.workspace("other")
    assert sorted(who()) == sorted([(team, 9), (other, 9), (team, 4)])
    past.rule(What.USAGE, 7)
    past.rule(What.USAGE, None, other)
    past.run()
    assert who() == [(other, 9), (team, 4)]
    assert questions() == 3
    count_all_again(past.store, utc, NOW)
    assert who() == [(other, 9), (team, 4)]
    assert questions() == 3


def test_names_of_people_of_whom_nothing_is_left_go(past: Past) -> None:
    gone, stays = past.asked(99, person="gone"), past.asked(1, thread="2", person="stays")
    person_ids = [past.scene.turn(turn_id).person_id for turn_id in (gone, stays)]
    with past.store.write() as repositories:
        repositories.session.execute(update(Person).values(created_at=NOW - timedelta(days=100)))
    past.rule(What.TURNS, 7)
    past.run()
    with past.store.read() as repositories:
        names = {p.id: p.display_name for p in repositories.session.query(Person)}
    assert [names[person_id] for person_id in person_ids] == ["", "stays"]


def test_only_one_process_at_a_time_and_the_next_one_goes_on(past: Past) -> None:
    for n in range(10):
        past.asked(99 - n, thread=f"{n}")
    past.rule(What.TURNS, 7)
    foreseen = past.foreseen()
    first = Retention(past.store, past.blobs, "first", lambda _: len(past.turns()) < 9, batch=2)
    second = Retention(past.store, past.blobs, "second", lambda _: False, batch=2)
    stopped = first.run_now("test")
    assert stopped is not None
    assert stopped.finished_at is None
    assert len(past.turns()) == 8
    assert second.run_now("test") is None
    assert second.round() is None
    with past.store.write() as repositories:
        # Its lease runs out.
        repositories.session.execute(update(RetentionRun).values(lease_until=NOW - timedelta(seconds=1)))
    finished = second.run_now("test")
    assert finished is not None
    assert finished.id == stopped.id
    assert {"turns": finished.removed["turns"]} == foreseen
    # The first one, back from wherever it was, removes nothing and writes nothing.
    past.asked(99, thread="late")
    with pytest.raises(LostLease):
        first._go_on(stopped)
    assert len(past.turns()) == 1


def test_a_run_is_due_once_a_day(past: Past) -> None:
    retention = Retention(past.store, past.blobs, "worker", lambda _: False)
    assert retention.round() is not None
    assert retention.round() is None
    with past.store.write() as repositories:
        repositories.session.execute(update(RetentionRun).values(started_at=NOW - timedelta(hours=25)))
    assert retention.round() is not None
    with past.store.write() as repositories:
        # An owner does not want to wait.
        assert repositories.retention.ask_for_run("olga", utc_now())
        assert not repositories.retention.ask_for_run("olga", utc_now())
    run = retention.round()
    assert run is not None
    assert run.asked_by == "olga"


class Away(BlobStore):
    """A blob store that is away until it is `back`."""

    back = False

    def put_at(self, key: str) -> Any:
        if not self.back:
            raise StoreError("away")
        return super().put_at(key)


def test_a_blob_store_that_is_away_keeps_nothing_from_going_and_the_blobs_go_later(past: Past, tmp_path: Path) -> None:
    past.asked(99, pictures=(b"one",))
    past.asked(99, thread="2", pictures=(b"two",))
    past.rule(What.TURNS, 7)
    age_blobs(past, tmp_path)
    away = Away(f"file://{tmp_path / 'blobs'}")
    run = Retention(past.store, away, "worker", lambda _: False, batch=1).run_now("test")
    assert run is not None
    assert run.finished_at is not None
    assert past.turns() == set()
    with past.store.read() as repositories:
        assert len(repositories.erasures.unfinished()) == 2
    away.back = True
    finish_erasures(past.store, away, utc_now())
    with past.store.read() as repositories:
        assert repositories.session.query(Erasure).count() == 0
    assert [file for file in (tmp_path / "blobs").rglob("*") if file.is_file()] == []


def test_old_entries_of_the_audit_log_go_by_the_one_door(past: Past) -> None:
    old = NOW - timedelta(days=50)
    with past.store.write() as repositories:
        for _ in range(3):
            repositories.audit.add(Action.READ, admin_name="olga")
    _backdate(past.store, old)
    with past.store.write() as repositories:
        repositories.audit.add(Action.READ, admin_name="olga")
    past.rule(What.AUDIT, 40)
    foreseen = past.foreseen()
    assert foreseen["audit"]["rows"] == 3
    assert past.run() == foreseen
    with past.store.read() as repositories:
        actions = [entry.action for entry in repositories.audit.list()[0]]
        (removal,) = repositories.retention.audit_removals()
    assert actions == [Action.RETENTION_RAN, Action.AUDIT_TRIMMED, Action.READ]
    assert removal.admin_name == "olga"
    assert NOW - timedelta(days=41) < removal.before < NOW - timedelta(days=39)


def _backdate(store: Store, at: Any) -> None:
    """As if the entries that are there had been written then: past the triggers, which nothing of ours gets past."""
    with store.write() as repositories:
        session = repositories.session
        if session.get_bind().dialect.name == "sqlite":
            trigger = session.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'audit_log_no_update'"))
            session.execute(text("DROP TRIGGER audit_log_no_update"))
            session.execute(text("UPDATE audit_log SET at = :at").bindparams(at=at.replace(tzinfo=None).isoformat(" ")))
            session.execute(text(str(trigger)))
        else:
            session.execute(text("ALTER TABLE audit_log DISABLE TRIGGER USER"))
            session.execute(text("UPDATE audit_log SET at = :at").bindparams(at=at))
            session.execute(text("ALTER TABLE audit_log ENABLE TRIGGER USER"))


NOT_THROUGH_THE_DOOR = (
    "DELETE FROM audit_log",
    "UPDATE audit_log SET admin_name = 'nobody'",
    "DELETE FROM audit_removals",
    "UPDATE audit_removals SET admin_name = 'nobody'",
    "INSERT INTO audit_removals (id, at, before, admin_name) "
    "VALUES ('1', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, 'mallory')",
)


def test_the_door_opens_for_nothing_else(past: Past) -> None:
    with past.store.write() as repositories:
        repositories.audit.add(Action.READ, admin_name="olga")
    _backdate(past.store, NOW - timedelta(days=50))
    with past.store.write() as repositories:
        before = NOW - timedelta(days=60)
        repositories.session.add(AuditRemoval(id="0", at=before, before=before, admin_name="olga"))
    for statement in NOT_THROUGH_THE_DOOR:
        with pytest.raises((DBAPIError, StoreError), match=r"append-only|cannot be removed"):
            with past.store.write() as repositories:
                repositories.session.execute(text(statement))
    with past.store.read() as repositories:
        assert [entry.admin_name for entry in repositories.audit.list()[0]] == ["olga"]
        assert len(repositories.retention.audit_removals()) == 1


def test_sessions_that_are_over_go_without_a_rule(past: Past) -> None:
    with past.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.WEB, "local")
        person = repositories.people.person(workspace.id, "ann")
        repositories.web_sessions.create("h1", person.id, None, NOW - timedelta(seconds=1))
        repositories.web_sessions.create("h2", person.id, None, NOW + timedelta(days=1))
        repositories.telegram.keep_update("7", 1, {"message": "secret"}, NOW - timedelta(days=8))
        repositories.telegram.keep_update("7", 2, {"message": "fresh"}, NOW)
    past.run()
    with past.store.read() as repositories:
        assert repositories.web_sessions.by_hash("h2", NOW) is not None
        assert [update.update_id for update in repositories.telegram.kept_updates("7")] == [2]


def test_every_kind_has_its_stage() -> None:
    assert set(What) <= set(STAGES)
    rules = Rules({What.TURNS: 3}, {"w": {What.TURNS: None}})
    assert (rules.days(What.TURNS, None), rules.days(What.TURNS, "w"), rules.days(What.TURNS, "v")) == (3, None, 3)
    assert rules.changed("w", What.TURNS, None, said=False).days(What.TURNS, "w") == 3
    assert Rules().latest(What.TURNS, NOW) is None
    assert Figures.of_json(Figures(1, 2, 3, 4, NOW, NOW).as_json()) == Figures(1, 2, 3, 4, NOW, NOW)


def test_a_conversation_is_erased_with_everything_in_it(past: Past, tmp_path: Path) -> None:
    mine = past.asked(1, pictures=(b"one",), words="zebrafish")
    past.asked(1, person="bob", words="zebrafish")
    other = past.asked(1, thread="2")
    age_blobs(past, tmp_path)
    conversation_id = past.scene.turn(mine).conversation_id
    with past.store.write() as repositories:
        repositories.retention.set_hold(conversation_id, "a lawsuit", "olga", NOW)
    with pytest.raises(NotFound):
        erase_conversation(past.store, past.blobs, conversation_id, LATER)
    with past.store.write() as repositories:
        repositories.retention.end_hold(conversation_id)
    erased = erase_conversation(past.store, past.blobs, conversation_id, LATER)
    assert (len(erased.turn_ids), erased.conversations, erased.pictures) == (2, 1, 1)
    assert past.turns() == {other}
    assert past.found("zebrafish") == 0
    with past.store.read() as repositories:
        (record,) = repositories.session.query(Erasure)
        assert (record.kind, record.conversation_id, record.person_id) == ("conversation", conversation_id, "")
        assert repositories.session.query(Attachment).count() == 0
