"""What a question becomes in SQL, and what keeps it from becoming anything."""

import pytest

from core.conversation.inbound import Named, Pending, Refused
from core.conversation.intake import Intake
from core.errors import Busy, EmptyQuestion, NotFound, QuestionTooLong, RequestError, StoreError, TooManyPictures
from core.media.blobs import BlobStore
from core.settings import load_settings
from core.store.database import Store
from core.values import AttachmentState, Platform, TurnState, utc_now
from tests.integration.conversation.asked import Desk, photo, question

NOTHING = {"people": 0, "conversations": 0, "turns": 0, "attachments": 0, "events": 0}


def test_a_question_becomes_one_ready_turn_of_a_new_conversation(desk: Desk) -> None:
    accepted = desk.accept("What is it?", options={"temperature": 0.5}, system_prompt="Be brief.", person_name="Ann")

    turn, conversation = desk.turn(accepted), desk.conversation(accepted)
    assert not accepted.duplicate
    assert (turn.seq, turn.state, turn.question, turn.options) == (
        1,
        TurnState.READY,
        "What is it?",
        {"temperature": 0.5},
    )
    assert turn.ready_at is not None
    assert (turn.person_id, conversation.person_id) == (accepted.person_id, accepted.person_id)
    assert (conversation.title, conversation.system_prompt) == ("What is it?", "Be brief.")
    assert desk.rows() == {"people": 1, "conversations": 1, "turns": 1, "attachments": 0, "events": 1}


def test_a_thread_of_the_platform_is_one_conversation(desk: Desk) -> None:
    first = desk.accept("one", conversation="C1:17.5", platform=Platform.SLACK, workspace="T1")
    second = desk.accept("two", conversation="C1:17.5", platform=Platform.SLACK, workspace="T1", person="bob")
    elsewhere = desk.accept("three", conversation="C1:17.5", platform=Platform.SLACK, workspace="T2")

    assert second.conversation_id == first.conversation_id
    assert second.person_id != first.person_id
    assert elsewhere.conversation_id != first.conversation_id
    assert [(turn.seq, turn.question) for turn in desk.turns(first.conversation_id)] == [(1, "one"), (2, "two")]


def test_our_own_conversation_goes_on(desk: Desk) -> None:
    first = desk.accept("one")
    second = desk.accept("two", conversation_id=first.conversation_id)

    assert second.conversation_id == first.conversation_id
    assert desk.turn(second).seq == 2


@pytest.mark.parametrize("whose", ["somebody else's", "nobody's"])
def test_another_persons_conversation_is_not_found_and_nothing_is_stored(desk: Desk, whose: str) -> None:
    theirs = desk.accept("secret", person="bob").conversation_id if whose == "somebody else's" else "0" * 32
    desk.accept("known here", person="eve")
    before = desk.rows()

    for person in ("eve", "new here"):
        with pytest.raises(NotFound) as caught:
            desk.accept("what did Bob ask?", person=person, conversation_id=theirs)
        with pytest.raises(NotFound):
            desk.accept("what did Bob ask?", person=person, conversation_id=theirs, pictures=(photo("mine"),))

        assert "start a new one" in caught.value.user_message
    assert desk.rows() == before
    assert desk.blobs.given == []


def test_files_keep_their_order_their_names_and_their_fate(desk: Desk) -> None:
    accepted = desk.accept(
        "Compare.",
        pictures=(photo("one"), photo("two")),
        refused=(Refused("notes.docx", "picture_format", "This kind of file is not supported."),),
    )

    turn = desk.turn(accepted)
    assert turn.state == TurnState.READY
    assert [(a.position, a.name, a.state) for a in turn.attachments] == [
        (0, "one.png", AttachmentState.STORED),
        (1, "two.png", AttachmentState.STORED),
        (2, "notes.docx", AttachmentState.REFUSED),
    ]
    stored, _, refused = turn.attachments
    assert (stored.blob_key, stored.media_type, stored.width, stored.height, stored.byte_size) == (
        photo("one").picture.key,
        "image/png",
        64,
        48,
        3,
    )
    assert (refused.error_code, refused.error_message, refused.blob_key) == (
        "picture_format",
        "This kind of file is not supported.",
        "",
    )
    assert desk.blobs.get(stored.blob_key) == b"one"


def test_a_turn_gathers_until_its_pending_files_are_here(desk: Desk) -> None:
    accepted = desk.accept("", platform=Platform.SLACK, pending=(Pending("cat.jpg", {"file": "F1"}),))

    turn = desk.turn(accepted)
    assert (turn.state, turn.ready_at) == (TurnState.GATHERING, None)
    (file,) = turn.attachments
    assert (file.state, file.name, file.source) == (AttachmentState.PENDING, "cat.jpg", {"file": "F1"})
    with desk.store.read() as repositories:
        assert repositories.turns.dispatchable(utc_now(), 10, 10) == []


def test_the_same_bytes_are_kept_once_however_often_they_come(desk: Desk) -> None:
    first = desk.accept("one", pictures=(photo("same"), photo("same")))
    second = desk.accept("two", person="bob", pictures=(photo("same"),))

    keys = {a.blob_key for accepted in (first, second) for a in desk.turn(accepted).attachments}
    assert len(keys) == 1
    assert desk.blobs.get(keys.pop()) == b"same"


def test_bytes_are_kept_before_any_row_points_at_them(store: Store) -> None:
    desk = Desk(store)
    nowhere = Intake(store, BlobStore("file:///dev/null/blobs"), load_settings(_env_file=None))

    with pytest.raises(StoreError, match="blob store"):
        nowhere.accept(question(pictures=(photo("one"),)))

    assert desk.rows() == NOTHING


@pytest.mark.parametrize(
    ("text", "fields", "error"),
    [
        ("", {}, EmptyQuestion),
        (" \n\t", {}, EmptyQuestion),
        ("x" * 101, {}, QuestionTooLong),
        ("Compare.", {"pictures": tuple(photo(str(n)) for n in range(4))}, TooManyPictures),
        ("Compare.", {"pending": tuple(Pending(str(n), {}) for n in range(4))}, TooManyPictures),
        ("Compare.", {"pictures": (photo("a"), photo("b")), "pending": (Pending("c", {}), Pending("d", {}))},
         TooManyPictures),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_taken_leaves_nothing(
    store: Store, text: str, fields: dict[str, object], error: type[RequestError]
) -> None:
    desk = Desk(store, question_max_chars=100, pictures_per_turn=3)

    with pytest.raises(error):
        desk.accept(text, **fields)

    assert desk.rows() == NOTHING
    assert desk.blobs.given == []


def test_at_the_limits_a_question_is_taken(store: Store) -> None:
    desk = Desk(store, question_max_chars=100, pictures_per_turn=3)

    accepted = desk.accept("x" * 100, pictures=tuple(photo(str(n)) for n in range(3)))

    assert len(desk.turn(accepted).attachments) == 3


def test_a_person_with_too_many_open_turns_waits_and_others_do_not(store: Store) -> None:
    desk = Desk(store, waiting_per_person=3)
    opened = [desk.accept(f"q{n}") for n in range(3)]
    before = desk.rows()

    with pytest.raises(Busy) as caught:
        desk.accept("one more", pictures=(photo("late"),))

    with pytest.raises(Busy):
        desk.accept("without a picture")
    assert "wait" in caught.value.user_message
    assert caught.value.retryable
    assert desk.rows() == before
    assert desk.blobs.given == []
    assert desk.accept("mine", person="bob").person_id != opened[0].person_id
    desk.answer(opened[0], "Yes.", "")
    assert desk.turn(desk.accept("now")).state == TurnState.READY


def test_a_gathering_turn_counts_as_open(store: Store) -> None:
    desk = Desk(store, waiting_per_person=1)
    desk.accept("", pending=(Pending("cat.jpg", {}),))

    with pytest.raises(Busy):
        desk.accept("one more")


def test_the_total_binds_everybody_programs_too(store: Store) -> None:
    desk = Desk(store, waiting_total=4, waiting_per_person=1)
    for n in range(4):
        desk.accept(f"q{n}", platform=Platform.API, person=f"key:robot {n % 2}", for_many=True)
    before = desk.rows()

    for platform, person in ((Platform.API, "key:robot 3"), (Platform.WEB, "ann")):
        for pictures in ((), (photo("late"),)):
            with pytest.raises(Busy, match="Too many questions"):
                desk.accept(
                    "one more",
                    platform=platform,
                    person=person,
                    pictures=pictures,
                    for_many=platform is Platform.API,
                )

    assert desk.rows() == before
    assert desk.blobs.given == []


def test_a_user_of_a_program_waits_like_anybody_else(store: Store) -> None:
    desk = Desk(store, waiting_per_person=2)
    opened = [desk.accept(f"q{n}", platform=Platform.API, person="key:robot/eva") for n in range(2)]
    before = desk.rows()

    with pytest.raises(Busy, match=r"You have 2 questions waiting already\. Please wait for an answer first\."):
        desk.accept("one more", platform=Platform.API, person="key:robot/eva")

    assert desk.rows() == before
    desk.accept("mine", platform=Platform.API, person="key:robot/max")
    desk.answer(opened[0], "Yes.", "")
    desk.accept("now", platform=Platform.API, person="key:robot/eva")


def test_a_program_that_names_no_user_leaves_half_to_others(store: Store) -> None:
    desk = Desk(store, waiting_total=6, waiting_per_person=2)
    for n in range(3):
        desk.accept(f"q{n}", platform=Platform.API, person="key:robot", for_many=True)
    before = desk.rows()

    with pytest.raises(Busy, match=r"3 questions of this key are waiting already.*send fewer at once"):
        desk.accept("one more", platform=Platform.API, person="key:robot", for_many=True)

    assert desk.rows() == before
    for n in range(3):
        desk.accept("mine", person=f"person {n}")


def test_pages_are_counted_and_named_as_pictures(store: Store) -> None:
    desk = Desk(store, pictures_per_turn=3)

    with pytest.raises(TooManyPictures) as caught:
        desk.accept("Compare.", pictures=tuple(photo(str(n)) for n in range(5)))

    assert caught.value.user_message == (
        "These files have 5 pictures; each page of a document counts as one. Please send at most 3 with one question."
    )


@pytest.mark.parametrize("pictures", [(), (photo("one"),)])
def test_a_duplicate_is_found_even_where_no_room_is_left(store: Store, pictures: tuple[Named, ...]) -> None:
    desk = Desk(store, waiting_per_person=1)
    first = desk.accept("once", event_key="E1", pictures=pictures)

    again = desk.accept("once", event_key="E1", pictures=pictures)

    assert (again.turn_id, again.duplicate) == (first.turn_id, True)
    assert len(desk.blobs.given) == len(pictures)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("What  is\n\nit?", "What is it?"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        ("word " * 20, "word " * 11 + "word…"),
        ("这是什么？", "这是什么？"),
    ],
)
def test_titles_are_the_first_words(desk: Desk, text: str, title: str) -> None:
    accepted = desk.accept(text)
    desk.accept("another question", conversation_id=accepted.conversation_id)

    assert desk.conversation(accepted).title == title


def test_a_picture_without_words_has_no_title(desk: Desk) -> None:
    assert desk.conversation(desk.accept("", pictures=(photo("one"),))).title == ""
