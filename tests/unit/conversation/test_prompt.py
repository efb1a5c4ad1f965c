"""From rows to messages: what becomes of failed and cancelled turns, of pictures and of their bytes."""

import pytest

from core.conversation import digest
from core.conversation.prompt import Prompt, build_prompt
from core.errors import NotFound, PictureError, PromptTooLong
from core.inference.port import Message
from core.media.blobs import BlobStore
from core.store.models import Turn
from core.values import TurnState, new_id
from tests.unit.conversation.talk import count, keys, picture, texts, turn


@pytest.fixture
def blobs() -> BlobStore:
    """The pictures of these tests: their bytes are their names."""
    store = BlobStore(f"memory://{new_id()}")
    for name in ("sky", "sea", "cat"):
        assert store.put(name.encode()) == picture(name).key
    return store


def _build(asked: Turn, past: list[Turn], blobs: BlobStore, *, system: str = "", budget: int = 10_000) -> Prompt:
    return build_prompt(asked, past, system=system, conversation_system="", budget=budget, count=count, blobs=blobs)


def test_pictures_come_with_their_bytes(blobs: BlobStore) -> None:
    prompt = _build(turn(2, "And here?", "", "sea"), [turn(1, "What is it?", "A star.", "sky")], blobs, system="Brief.")

    assert texts(prompt.messages) == [
        ("system", "Brief."),
        ("user", "What is it?"),
        ("assistant", "A star."),
        ("user", "And here?"),
    ]
    assert [p.data for message in prompt.messages for p in message.pictures] == [b"sky", b"sea"]


def test_a_picture_alone_is_a_question(blobs: BlobStore) -> None:
    prompt = _build(turn(1, "  \n", "", "sky"), [], blobs)

    assert texts(prompt.messages) == [("user", "Describe the picture.")]


def test_a_failed_turn_leaves_its_picture_to_the_next_question(blobs: BlobStore) -> None:
    failed = turn(1, "What is it?", "half an answ", "sky", state=TurnState.FAILED)

    prompt = _build(turn(2, "Try again."), [failed], blobs)

    assert texts(prompt.messages) == [("user", "Try again.")]
    assert keys(prompt.messages[0]) == [picture("sky").key]
    assert prompt.left_out == []


def test_a_failed_turn_without_pictures_leaves_nothing(blobs: BlobStore) -> None:
    prompt = _build(turn(2, "Hello?"), [turn(1, "Hi", state=TurnState.FAILED)], blobs, budget=3)

    assert prompt.messages == (Message("user", "Hello?"),)
    assert prompt.left_out == []


def test_what_a_stopped_answer_had_said_is_part_of_the_conversation(blobs: BlobStore) -> None:
    stopped = turn(1, "Tell me all.", "First, the sky", "sky", state=TurnState.CANCELLED)

    prompt = _build(turn(2, "Go on."), [stopped], blobs)

    assert texts(prompt.messages) == [("user", "Tell me all."), ("assistant", "First, the sky"), ("user", "Go on.")]


def test_a_turn_stopped_before_its_first_word_is_as_good_as_failed(blobs: BlobStore) -> None:
    stopped = turn(1, "Tell me all.", " ", "sky", state=TurnState.CANCELLED)

    prompt = _build(turn(2, "Go on."), [stopped], blobs)

    assert texts(prompt.messages) == [("user", "Go on.")]
    assert keys(prompt.messages[0]) == [picture("sky").key]


def test_unreadable_files_are_no_pictures(blobs: BlobStore) -> None:
    prompt = _build(turn(1, "What is it?", "", "sky", refused=2), [], blobs)

    assert keys(prompt.messages[0]) == [picture("sky").key]


def test_without_words_and_without_any_readable_file_nothing_is_made_up(blobs: BlobStore) -> None:
    with pytest.raises(PictureError) as caught:
        _build(turn(2, " ", refused=1), [turn(1, "What is it?", "A star.", "sky")], blobs)

    assert "could be read" in caught.value.user_message
    assert not caught.value.retryable


def test_a_picture_whose_bytes_are_gone_says_so_to_the_user(blobs: BlobStore) -> None:
    blobs.delete(picture("sky").key)

    with pytest.raises(NotFound) as caught:
        _build(turn(2, "Red?"), [turn(1, "What is it?", "A star.", "sky")], blobs)

    assert "send it again" in caught.value.user_message
    assert picture("sky").key not in caught.value.user_message


def test_bytes_that_are_not_shown_are_not_read(blobs: BlobStore) -> None:
    blobs.delete(picture("sky").key)
    past = [turn(1, "What is it?", "A star.", "sky"), turn(2, "And here?", "A wave.", "sea")]

    prompt = _build(turn(3, "Blue?"), past, blobs, budget=3 + 102 + 20)

    assert [p.data for message in prompt.messages for p in message.pictures] == [b"sea"]
    assert {"seq": 1, "what": "pictures"} in prompt.left_out


def test_too_long_a_question_is_refused_before_any_bytes_are_read(blobs: BlobStore) -> None:
    blobs.delete(picture("sky").key)

    with pytest.raises(PromptTooLong):
        _build(turn(1, "What is it?", "", "sky"), [], blobs, budget=50)


def test_the_digest_goes_on_from_the_stored_one(blobs: BlobStore) -> None:
    past = [turn(1, "q1", "a1", history_hash="1" * 64), turn(2, "q2", "a2", "sky", history_hash="2" * 64)]

    assert _build(turn(3, "q3"), past, blobs).history_digest == "2" * 64


def test_without_a_stored_digest_it_is_computed_from_the_answered_turns_alone(blobs: BlobStore) -> None:
    past = [
        turn(1, "q1", "a1", "sky"),
        turn(2, "q2", "a2", state=TurnState.FAILED),
        turn(3, "q3", "a3", state=TurnState.CANCELLED),
        turn(4, "q4", "a4", state=TurnState.ANSWERED),
    ]
    expected = digest.extend(digest.root(""), "q1", [picture("sky").key], "a1")

    assert _build(turn(5, "q5"), past, blobs).history_digest == digest.extend(expected, "q4", [], "a4")


def test_the_digest_starts_from_what_the_client_said_and_not_from_our_own_system_prompt(blobs: BlobStore) -> None:
    prompt = build_prompt(
        turn(1, "q"), [], system="ours", conversation_system="theirs", budget=100, count=count, blobs=blobs
    )

    assert prompt.history_digest == digest.root("theirs")
    assert texts(prompt.messages)[0] == ("system", "ours")
