"""files.*: what is there, and the two steps around an upload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.slack.files import StoredFile
from tests.fakes.slack.methods.chat import writable
from tests.fakes.slack.methods.content import thread_of
from tests.fakes.slack.methods.registry import method
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.state import Json
from tests.fakes.slack.world import Caller

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack


@method("files.info")
def file_info(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """All of a file, also where the event had a stub."""
    file = fake.world.files.get(arguments["file"])
    if file is None or not fake.world.sees(caller.workspace.id, file) or file.access == "file_not_found":
        raise Refusal("file_not_found")
    if file.access == "access_denied":
        raise Refusal("not_visible")
    if file.deleted:
        raise Refusal("file_deleted")
    return {"file": file.full(), "comments": [], "response_metadata": {"next_cursor": ""}}


@method("files.getUploadURLExternal")
def upload_url(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Where to send the bytes, which must be `length` of them."""
    if arguments["length"] <= 0:
        raise Refusal("missing_argument", fault="length 0")
    if len(arguments.get("alt_txt", "")) > 1_000:
        raise Refusal("alt_txt_too_large", fault="alt_txt of more than 1,000 characters")
    file = StoredFile(
        id=fake.world.ids("F"),
        team_id=caller.workspace.id,
        name=arguments["filename"],
        content=b"",
        owner=caller.bot,
        base=fake.url,
        created=int(fake.world.clock.now()),
        size=arguments["length"],
    )
    fake.uploads[file.id] = file
    return {"upload_url": f"{fake.url}/upload/v1/{file.id}", "file_id": file.id}


@method("files.completeUploadExternal")
def complete(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Makes files of what was sent, and one message of all of them in each channel."""
    files: list[StoredFile] = []
    for given in arguments["files"]:
        if not isinstance(given, dict) or "id" not in given or set(given) - {"id", "title", "highlight_type"}:
            raise Refusal("invalid_arguments", fault=f"file {given}")
        file = fake.uploads.get(given["id"])
        if file is None or len(file.content) != file.size:
            raise Refusal("file_not_found", fault=f"{given['id']} was not uploaded")
        file.title = given.get("title", "")
        files.append(file)
    names = [name for name in (arguments.get("channels") or "").split(",") if name]
    channels = [writable(fake, caller, name) for name in names or [arguments.get("channel_id")] if name]
    if arguments.get("thread_ts") and len(channels) != 1:
        raise Refusal("invalid_arguments", fault="thread_ts with more or fewer channels than one")
    for file in files:
        fake.world.files[file.id] = fake.uploads.pop(file.id)
    for channel in channels:
        thread = thread_of(fake, channel, arguments.get("thread_ts"))
        message = fake.world.add_message(
            channel,
            caller.bot,
            bot_id=caller.workspace.bot_id,
            thread_ts=thread,
            text=arguments.get("initial_comment", ""),
            files=[file.id for file in files],
            subtype="file_share",
        )
        for file in files:
            file.shares.append((channel.id, message.ts))
        fake.echo(message)
    return {"files": [file.full() for file in files]}
