"""Which events are messages of people, and what changed in them."""

from typing import Any

import pytest

from bots.slack.files import merged, reference
from bots.slack.listening import may_be_for_us
from bots.slack.message import Deletion, Edit, read_change, read_message
from core.policy.document import Listens

SAID = {"type": "message", "channel": "C1", "ts": "10.0", "user": "U1", "text": "hi", "channel_type": "channel"}


def test_a_message() -> None:
    message = read_message("T1", {**SAID, "thread_ts": "9.0"}, "Ev1")
    assert message is not None
    assert (message.key, message.thread.name, message.other_keys) == ("T1:C1:10.0", "C1:9.0", ("event:Ev1",))


def test_a_root_of_a_thread_is_in_no_thread() -> None:
    message = read_message("T1", {**SAID, "thread_ts": "10.0"})
    assert message is not None
    assert (message.root, message.thread.root) == ("", "10.0")


@pytest.mark.parametrize(
    "change",
    [
        {"subtype": "channel_join"},
        {"subtype": "bot_message"},
        {"bot_id": "B1"},
        {"hidden": True},
        {"user": None},
        {"channel": None},
    ],
)
def test_what_no_person_said(change: dict[str, Any]) -> None:
    assert read_message("T1", {**SAID, **change}) is None


def test_files_of_deleted_ones_are_none() -> None:
    message = read_message("T1", {**SAID, "subtype": "file_share", "files": [{"id": "F1"}, {"mode": "tombstone"}]})
    assert message is not None
    assert [file["id"] for file in message.files] == ["F1"]
    assert not message.promises_files


def test_a_share_without_its_files_promises_some() -> None:
    message = read_message("T1", {**SAID, "subtype": "file_share"})
    assert message is not None
    assert message.promises_files


def test_an_edit() -> None:
    event = {
        "subtype": "message_changed",
        "channel": "C1",
        "message": {"ts": "10.0", "user": "U1", "text": "new"},
        "previous_message": {"ts": "10.0", "user": "U1", "text": "old"},
    }
    change = read_change("T1", event)
    assert isinstance(change, Edit)
    assert (change.message.key, change.message.text) == ("T1:C1:10.0", "new")


def test_an_unfurled_link_is_no_edit() -> None:
    same = {"ts": "10.0", "user": "U1", "text": "same"}
    event = {"subtype": "message_changed", "channel": "C1", "message": same, "previous_message": same}
    assert read_change("T1", event) is None


@pytest.mark.parametrize(
    "event",
    [
        {"subtype": "message_deleted", "channel": "C1", "deleted_ts": "10.0"},
        {"subtype": "message_changed", "channel": "C1", "message": {"subtype": "tombstone", "ts": "10.0"}},
    ],
)
def test_a_deletion(event: dict[str, Any]) -> None:
    assert read_change("T1", event) == Deletion("T1", "C1", "10.0")


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"channel": "D1", "channel_type": "im"}, True),
        ({"text": "<@UBOT> hi"}, True),
        ({"type": "app_mention"}, True),
        ({}, False),
        ({"channel_type": "mpim"}, False),
        ({"thread_ts": "9.0"}, None),
        ({"thread_ts": "9.0", "text": "<@U2> what do you think?"}, False),
        ({"thread_ts": "9.0", "text": "what does <@U2> say?"}, None),
        ({"files": [{"id": "F1", "mimetype": "image/png"}]}, False),
    ],
)
def test_who_is_asked(change: dict[str, Any], answer: bool | None) -> None:
    message = read_message("T1", {**SAID, **change})
    assert message is not None
    assert may_be_for_us(message, "UBOT", "threads") is answer


PICTURE = {"files": [{"id": "F1", "mimetype": "image/png"}]}
IN_THREAD = {"thread_ts": "9.0"}


@pytest.mark.parametrize(
    ("listens", "change", "answer"),
    [
        ("mentions", {"text": "<@UBOT> hi"}, True),
        ("mentions", IN_THREAD, False),
        ("mentions", {**IN_THREAD, "text": "!stop"}, None),
        ("mentions", PICTURE, False),
        ("pictures", PICTURE, True),
        ("pictures", {**PICTURE, **IN_THREAD}, True),
        ("pictures", {**PICTURE, "text": "<@U2> look"}, False),
        ("pictures", {"files": [{"id": "F1", "mimetype": "application/zip"}]}, False),
        ("pictures", {"files": [{"id": "F1", "mimetype": "application/pdf"}]}, True),
        ("pictures", {"subtype": "file_share"}, True),
        ("pictures", {}, False),
        ("pictures", IN_THREAD, None),
        ("never", {"text": "<@UBOT> hi"}, False),
        ("never", PICTURE, False),
        ("never", {"channel": "D1", "channel_type": "im"}, True),
    ],
)
def test_what_is_listened_to(listens: Listens, change: dict[str, Any], answer: bool | None) -> None:
    message = read_message("T1", {**SAID, **change})
    assert message is not None
    assert may_be_for_us(message, "UBOT", listens) is answer


def test_files_are_merged_by_id() -> None:
    files = merged([{"id": "F1"}, {"id": "F2", "name": "b"}], [{"id": "F1", "name": "a"}, {"id": "F3"}])
    assert files == [{"id": "F1", "name": "a"}, {"id": "F2", "name": "b"}, {"id": "F3"}]


def test_a_reference_holds_no_text_of_the_file() -> None:
    kept = reference({"id": "F1", "name": "../a.png", "preview": "secret", "url_private": "https://files.slack.com/a"})
    assert kept.name == "a.png"
    assert "preview" not in kept.source["file"]
