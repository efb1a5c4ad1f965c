"""Forgetting a person: everything of his goes, nothing of anybody else's, and the record says so without words."""

from datetime import timedelta

import pytest
from sqlalchemy import JSON, String, Text, cast, inspect, select, text

from core.conversation.erasure import erase_person, finish_erasures
from core.errors import LostLease
from core.media.blobs import BlobStore
from core.store.models import Base, Conversation, Erasure, Feedback, InboundEvent, Person, Turn, Usage
from core.store.outcome import Outcome
from core.values import AttachmentState, Platform, TurnState, utc_now
from tests.integration.store.scene import NOW, Scene, after

SECRET = "ann-secret"
LATER = utc_now() + timedelta(hours=2)


def show(scene: Scene, blobs: BlobStore, turn_id: str, data: bytes, position: int = 0) -> str:
    """A picture that came with a turn; its key."""
    key = blobs.put(data)
    with scene.store.write() as repositories:
        repositories.attachments.add(turn_id, position, state=AttachmentState.STORED, name=SECRET, blob_key=key)
    return key


def talk(scene: Scene, thread: str, person: str, *, at: float = 0, seen: str = "", words: str = "") -> str:
    """An answered turn that was paid for, with what the eyes saw in a picture."""
    turn_id = scene.ask(thread, words or f"{person}'s question", person=person, at=at)
    observations = ({"picture": seen, "model": "eyes", "text": SECRET},) if seen else ()
    outcome = Outcome(TurnState.ANSWERED, answer=words or "Yes.", prompt_tokens=7, observations=observations)
    scene.finish(turn_id, scene.run(turn_id, at=at), outcome, at=at + 1)
    return turn_id


def words_of(scene: Scene) -> str:
    """Every word in the whole database."""
    found = []
    with scene.store.read() as repositories:
        for mapper in Base.registry.mappers:
            columns = [c for c in inspect(mapper).columns if isinstance(c.type, String | Text | JSON)]
            # A table of times and numbers alone has none.
            rows = repositories.session.execute(select(*(cast(c, Text) for c in columns))) if columns else ()
            for row in rows:
                found.append(" ".join(value or "" for value in row))
    return "\n".join(found)


def indexed(scene: Scene, word: str) -> bool:
    """Whether the index of words still holds the word in any form, also as one that was deleted."""
    with scene.store.read() as repositories:
        if repositories.session.get_bind().dialect.name == "postgresql":
            return bool(repositories.session.execute(text("SELECT words FROM turn_words")).scalars().first())
        return any(
            word.encode() in row for row in repositories.session.scalars(text("SELECT block FROM turn_words_data"))
        )


def test_words_that_can_be_searched_for_are_gone_from_the_index(scene: Scene, blobs: BlobStore) -> None:
    thread = scene.thread()
    turn_ids = [talk(scene, thread, "ann", at=n * 5, words=f"zebrafish {n}") for n in range(40)]
    assert indexed(scene, "zebrafish")
    erase_person(scene.store, blobs, scene.turn(turn_ids[0]).person_id, LATER)
    assert not indexed(scene, "zebrafish")


def test_all_that_a_person_said_and_showed_goes(scene: Scene, blobs: BlobStore) -> None:
    thread = scene.thread()
    turn_ids = [talk(scene, thread, "ann", at=n * 5, words=SECRET) for n in range(3)]
    key = show(scene, blobs, turn_ids[0], b"ann's picture")
    hers = scene.thread("bob's", "bob")
    theirs = talk(scene, hers, "bob")
    ann = scene.turn(turn_ids[0]).person_id
    with scene.store.write() as repositories:
        repositories.people.person(repositories.people.workspace(Platform.SLACK, "team").id, "ann", SECRET)
        repositories.conversations.set_title(thread, SECRET)
        repositories.inbound.first(Platform.SLACK, "event-1", turn_ids[0], content_hash=SECRET)
        repositories.feedback.set(theirs, ann, -1, SECRET, now=NOW)
    erased = erase_person(scene.store, blobs, ann, LATER)
    assert erased.turn_ids == tuple(turn_ids)
    assert (erased.conversations, erased.pictures) == (1, 1)
    assert SECRET not in words_of(scene)
    assert not blobs.exists(key)
    with scene.store.read() as repositories:
        session = repositories.session
        assert [turn.id for turn in session.query(Turn)] == [theirs]
        assert [c.id for c in session.query(Conversation)] == [hers]
        assert session.query(Feedback).count() == 0
        assert [event.turn_id for event in session.query(InboundEvent)] == [None]
        paid = {row.turn_id: (row.person_id != "", row.prompt_tokens) for row in session.query(Usage)}
        (record,) = session.query(Erasure)
        assert session.query(Person).filter_by(external_id="ann").count() == 1
    assert paid == {**dict.fromkeys(turn_ids, (False, 7)), theirs: (True, 7)}
    counted = (record.person_id, record.turns, record.conversations, record.pictures, record.blobs_left)
    assert counted == (ann, 3, 1, 1, [])
    assert record.done_at == LATER


def test_in_a_shared_thread_only_ones_own_questions_go(scene: Scene, blobs: BlobStore) -> None:
    thread = scene.thread()
    mine = talk(scene, thread, "ann", words=SECRET)
    key = show(scene, blobs, mine, b"ann's picture")
    kept = blobs.put(b"bob's picture")
    hers = talk(scene, thread, "bob", at=5, seen=key, words="What is beside it?")
    again = talk(scene, thread, "ann", at=10, words=SECRET)
    last = talk(scene, thread, "bob", at=15, seen=kept)
    show(scene, blobs, last, b"bob's picture")
    ann, bob = scene.turn(mine).person_id, scene.turn(hers).person_id
    erase_person(scene.store, blobs, ann, LATER)
    with scene.store.read() as repositories:
        turns = repositories.turns.of_conversation(thread)
        conversation = repositories.conversations.get(thread)
    assert [turn.id for turn in turns] == [hers, last]
    assert again not in [turn.id for turn in turns]
    # What the eyes saw in the picture that is gone is gone; what they saw in others stays.
    assert [len(turn.observations) for turn in turns] == [0, 1]
    assert conversation is not None
    assert (conversation.person_id, conversation.title) == (bob, "What is beside it?")
    # The thread goes on: numbers are not used twice.
    assert scene.turn(scene.ask(thread, person="bob", at=30)).seq == 5


def test_a_picture_that_others_sent_too_stays(scene: Scene, blobs: BlobStore) -> None:
    mine, hers = talk(scene, scene.thread(), "ann"), talk(scene, scene.thread("bob's", "bob"), "bob")
    key = show(scene, blobs, mine, b"the same picture")
    show(scene, blobs, hers, b"the same picture")
    erase_person(scene.store, blobs, scene.turn(mine).person_id, LATER)
    assert blobs.get(key) == b"the same picture"


def test_bytes_that_may_be_arriving_again_go_an_hour_later(scene: Scene, blobs: BlobStore) -> None:
    mine = talk(scene, scene.thread(), "ann")
    key = show(scene, blobs, mine, b"ann's picture")
    erase_person(scene.store, blobs, scene.turn(mine).person_id, utc_now())
    assert blobs.exists(key)
    finish_erasures(scene.store, blobs, utc_now())
    with scene.store.read() as repositories:
        assert [record.blobs_left for record in repositories.erasures.unfinished()] == [[key]]
    finish_erasures(scene.store, blobs, LATER)
    assert not blobs.exists(key)
    with scene.store.read() as repositories:
        assert repositories.erasures.unfinished() == []


def test_an_answer_in_the_making_finds_nothing_to_write_to(scene: Scene, blobs: BlobStore) -> None:
    turn_id = scene.ask(scene.thread())
    attempt = scene.run(turn_id)
    waiting = scene.ask(scene.thread("other"))
    erased = erase_person(scene.store, blobs, scene.turn(turn_id).person_id, LATER)
    assert set(erased.turn_ids) == {turn_id, waiting}
    with pytest.raises(LostLease):
        scene.finish(turn_id, attempt)
    assert scene.dispatchable(9) == []


def test_many_turns_go_in_batches_and_an_erasure_may_be_repeated(scene: Scene, blobs: BlobStore) -> None:
    thread = scene.thread()
    with scene.store.write() as repositories:
        person_id = repositories.conversations.get(thread).person_id  # type: ignore[union-attr]
        for _ in range(450):
            repositories.turns.add(thread, person_id, "?", now=after(0))
    assert len(erase_person(scene.store, blobs, person_id, LATER).turn_ids) == 450
    assert erase_person(scene.store, blobs, person_id, LATER).turn_ids == ()
    with scene.store.read() as repositories:
        records = [(row.turns, row.conversations) for row in repositories.session.query(Erasure)]
        assert sorted(records) == [(0, 0), (450, 1)]
        assert repositories.session.query(Turn).count() == 0


def test_what_telegram_told_of_a_business_account_goes_with_its_owner(scene: Scene, blobs: BlobStore) -> None:
    with scene.store.write() as repositories:
        workspace = repositories.people.workspace(Platform.TELEGRAM, "77")
        owner = repositories.people.person(workspace.id, "12", "Olga")
        for id_, bot_id, owner_id in (("mine", "77", 12), ("another bot's", "78", 12), ("another's", "77", 13)):
            repositories.telegram.set_connection(
                id_, bot_id=bot_id, owner_id=owner_id, owner_chat_id=1, owner_locale="en", can_reply=True, enabled=True,
                now=NOW,
            )  # fmt: skip
    erase_person(scene.store, blobs, owner.id, LATER)
    with scene.store.read() as repositories:
        left = {id_ for id_ in ("mine", "another bot's", "another's") if repositories.telegram.connection(id_)}
    assert left == {"another bot's", "another's"}
