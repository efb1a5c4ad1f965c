"""Files of a question: settled once, shown only to who may see them."""

import pytest
from sqlalchemy.exc import IntegrityError

from core.store.attachments import StoredFile
from core.values import AttachmentState
from tests.integration.store.scene import Scene

KEY = "ab" * 32


def pending(scene: Scene) -> tuple[str, str]:
    """(turn id, attachment id) of a file that is still to be fetched."""
    turn_id = scene.ask(scene.thread())
    with scene.store.write() as repositories:
        attachment = repositories.attachments.add(
            turn_id, 0, state=AttachmentState.PENDING, name="photo.jpg", source={"file": "F1", "tries": [1, 2]}
        )
    return turn_id, attachment.id


def test_a_fetched_file_is_stored_once(scene: Scene) -> None:
    turn_id, attachment_id = pending(scene)
    assert scene.turn(turn_id).attachments[0].source == {"file": "F1", "tries": [1, 2]}
    with scene.store.write() as repositories:
        assert repositories.attachments.store(attachment_id, KEY, "image/png", 640, 480, 1234)
        assert not repositories.attachments.store(attachment_id, "cd" * 32, "image/jpeg", 1, 1, 1)
        assert not repositories.attachments.refuse(attachment_id, "picture_broken", "Damaged.")
    (attachment,) = scene.turn(turn_id).attachments
    assert (attachment.state, attachment.blob_key, attachment.media_type) == ("stored", KEY, "image/png")
    assert (attachment.width, attachment.height, attachment.byte_size, attachment.source) == (640, 480, 1234, {})


def test_a_refused_file_says_why_and_stays_refused(scene: Scene) -> None:
    turn_id, attachment_id = pending(scene)
    with scene.store.write() as repositories:
        assert repositories.attachments.refuse(attachment_id, "picture_broken", "Damaged.")
        assert not repositories.attachments.store(attachment_id, KEY, "image/png", 1, 1, 1)
        assert not repositories.attachments.refuse("0" * 32, "picture_broken", "Damaged.")
    (attachment,) = scene.turn(turn_id).attachments
    assert (attachment.state, attachment.error_code, attachment.error_message) == (
        "refused",
        "picture_broken",
        "Damaged.",
    )


def test_a_picture_is_seen_by_the_owner_of_its_conversation_alone(scene: Scene) -> None:
    _, attachment_id = pending(scene)
    ann, bob = scene.person(), scene.person("bob")
    with scene.store.read() as repositories:
        assert repositories.attachments.visible_to("", ann) is None
    with scene.store.write() as repositories:
        repositories.attachments.store(attachment_id, KEY, "image/png", 1, 1, 1)
    with scene.store.read() as repositories:
        seen = repositories.attachments.visible_to(KEY, ann)
        assert seen is not None
        assert seen.media_type == "image/png"
        assert repositories.attachments.visible_to(KEY, bob) is None
        assert repositories.attachments.visible_to("cd" * 32, ann) is None


def test_the_same_picture_in_several_conversations_is_found(scene: Scene) -> None:
    for name in ("first", "second"):
        turn_id = scene.ask(scene.thread(name))
        with scene.store.write() as repositories:
            repositories.attachments.add(turn_id, 0, state=AttachmentState.STORED, blob_key=KEY)
    with scene.store.read() as repositories:
        assert repositories.attachments.visible_to(KEY, scene.person()) is not None


def test_which_blobs_have_a_name(scene: Scene) -> None:
    for name in ("first", "second"):
        turn_id = scene.ask(scene.thread(name))
        with scene.store.write() as repositories:
            repositories.attachments.add_stored([StoredFile(turn_id, 0, "a.png", KEY, "image/png", 1, 1, 1)])
            repositories.attachments.add(turn_id, 1, state=AttachmentState.PENDING)
    with scene.store.read() as repositories:
        assert repositories.attachments.named([KEY, "cd" * 32]) == {KEY}
        assert repositories.attachments.named([]) == set()


def test_a_place_is_taken_once(scene: Scene) -> None:
    turn_id, _ = pending(scene)
    with pytest.raises(IntegrityError):
        with scene.store.write() as repositories:
            repositories.attachments.add(turn_id, 0, state=AttachmentState.PENDING)


def test_of_a_long_name_the_end_with_its_extension_is_kept(scene: Scene) -> None:
    turn_id = scene.ask(scene.thread())
    with scene.store.write() as repositories:
        repositories.attachments.add(turn_id, 0, state=AttachmentState.REFUSED, name="n" * 300 + ".heic")
        repositories.attachments.add_stored([StoredFile(turn_id, 1, "n" * 300 + ".heic", KEY, "image/png", 1, 1, 1)])
    for attachment in scene.turn(turn_id).attachments:
        assert len(attachment.name) == 255
        assert attachment.name.endswith(".heic")


def test_files_that_are_there_already_are_added_in_one_go(scene: Scene) -> None:
    turn_ids = [scene.ask(scene.thread(name)) for name in ("first", "second")]
    with scene.store.write() as repositories:
        repositories.attachments.add_stored(
            StoredFile(turn_id, place, f"{place}.png", KEY, "image/png", 640, 480, 1234)
            for turn_id in turn_ids
            for place in range(2)
        )
        repositories.attachments.add_stored([])
    for turn_id in turn_ids:
        for place, file in enumerate(scene.turn(turn_id).attachments):
            assert (file.position, file.name, file.state, file.blob_key) == (place, f"{place}.png", "stored", KEY)
            assert (file.media_type, file.width, file.height, file.byte_size) == ("image/png", 640, 480, 1234)
            assert (file.source, file.error_code, file.error_message) == ({}, "", "")
