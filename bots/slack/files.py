"""References to files, as attachments keep them until the bytes are here."""

from collections.abc import Iterable, Mapping
from typing import Any

from bots.chat.texts import text_id
from bots.slack.message import File, Message
from core.conversation.inbound import Pending
from serving.text import file_name

# What is kept of Slack's file object: enough to fetch it, none of its text previews.
_KEPT = (
    "id",
    "name",
    "title",
    "mimetype",
    "filetype",
    "size",
    "mode",
    "is_external",
    "file_access",
    "url_private",
    "url_private_download",
    "thumb_1024",
    "thumb_960",
    "thumb_720",
    "thumb_480",
    "thumb_360",
)
# Placeholders for files that Slack did not tell about.
OWN_FILES = text_id("files of the message")
EARLIER_FILES = text_id("files of the thread")


def reference(file: File) -> Pending:
    """A file of a message."""
    return Pending(
        shown_name(file), {"id": str(file.get("id") or ""), "file": {key: file[key] for key in _KEPT if key in file}}
    )


def own_files(message: Message) -> Pending:
    """Whatever files the message turns out to have: `app_mention` comes without them."""
    return Pending(OWN_FILES, {"look": "message", "ts": message.ts, "expected": message.promises_files}, counts=False)


def earlier_files(message: Message) -> Pending:
    """Whatever files were in the thread before the message."""
    return Pending(EARLIER_FILES, {"look": "thread", "ts": message.ts}, counts=False)


def shown_name(file: Mapping[str, Any]) -> str:
    """What a file is called to people; empty where Slack tells no more than its id."""
    name = file.get("name") or file.get("title")
    return file_name(str(name)) if name else ""


def merged(*groups: Iterable[File]) -> list[File]:
    """All files once, by id, in the order of their first appearance; what is known of one adds up."""
    by_id: dict[str, dict[str, Any]] = {}
    for group in groups:
        for file in group:
            known = by_id.setdefault(str(file.get("id") or file.get("url_private") or len(by_id)), {})
            known.update(file)
    return list(by_id.values())
