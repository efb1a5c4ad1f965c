"""chat.startStream, chat.appendStream, chat.stopStream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from tests.fakes.slack.blocks import MESSAGE_BLOCKS, check_blocks
from tests.fakes.slack.methods.chat import own_message, writable
from tests.fakes.slack.methods.content import check_look, check_markdown, check_metadata, thread_of
from tests.fakes.slack.methods.registry import method
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.state import Json, Message, Stream
from tests.fakes.slack.world import Caller, Session

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

STATUSES = ("active", "processing", "suspended", "closed")
_CHUNKS = {
    "markdown_text": ({"text"}, set[str]()),
    "plan_update": ({"title"}, set[str]()),
    "task_update": ({"id", "title", "status"}, {"details", "output", "sources", "hide_title", "icon"}),
    "blocks": ({"blocks"}, set[str]()),
}


@method("chat.startStream")
def start(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """A new message whose text will come. The thread's agent session begins to process."""
    check_look(arguments, caller)
    channel = writable(fake, caller, arguments["channel"])
    if channel.kind != "im":
        for name in ("recipient_team_id", "recipient_user_id"):
            if not arguments.get(name):
                raise Refusal(f"missing_{name}", fault=f"{name} is required outside of direct messages")
    if (user := arguments.get("recipient_user_id")) and user not in fake.world.users:
        raise Refusal("user_not_found")
    if (team := arguments.get("recipient_team_id")) and team not in fake.world.workspaces:
        raise Refusal("team_not_found")
    if user and team and fake.world.users[user].team_id != team:
        raise Refusal("team_not_found", fault=f"recipient_team_id {team} is not where {user} is at home")
    thread = thread_of(fake, channel, arguments["thread_ts"])
    stream = Stream(started=fake.world.clock.now())
    content = _read(fake, stream, arguments)
    message = fake.world.add_message(
        channel, caller.bot, bot_id=caller.workspace.bot_id, thread_ts=thread, stream=stream
    )
    _add(message, content)
    fake.world.statuses.pop((channel.id, thread), None)
    if caller.workspace.agent:
        fake.world.sessions.setdefault((channel.id, thread), Session("processing")).status = "processing"
    return {"channel": channel.id, "ts": message.ts}


@method("chat.appendStream")
def append(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """More text."""
    channel, message = own_message(fake, caller, arguments, "message_not_owned_by_app")
    stream = _running(fake, message)
    if stream.state == "stopped_by_user":
        raise Refusal("stopped_by_user")
    if "markdown_text" not in arguments and "chunks" not in arguments:
        raise Refusal("markdown_text_or_chunks_required", fault="an append of nothing")
    _add(message, _read(fake, stream, arguments))
    return {"channel": channel.id, "ts": message.ts}


@method("chat.stopStream")
def stop(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """The last text, and blocks beneath it. Afterwards it is a message like any other."""
    channel, message = own_message(fake, caller, arguments, "message_not_owned_by_app")
    stream = _running(fake, message)
    if stream.state == "stopped_by_user" and not fake.stop_after_user:
        raise Refusal("message_not_in_streaming_state")
    status = arguments.get("session_status", "active")
    if status not in STATUSES:
        raise Refusal("invalid_arguments", fault=f"session_status {status}")
    content = _read(fake, stream, arguments)
    if "blocks" in arguments:
        check_blocks(arguments["blocks"], file_exists=fake.file_exists)
        content.append(("blocks", arguments["blocks"]))
    if "metadata" in arguments:
        message.metadata = check_metadata(arguments["metadata"])
    _add(message, content)
    stream.state = "completed"
    session = fake.world.sessions.get((channel.id, message.root))
    if session is not None:
        session.status = status
    fake.echo(message)
    return {"channel": channel.id, "ts": message.ts, "message": fake.world.message_json(message)}


def _running(fake: FakeSlack, message: Message) -> Stream:
    fake.expire(message)
    if message.stream is None or message.stream.state in ("completed", "expired"):
        raise Refusal("message_not_in_streaming_state")
    return message.stream


def _read(fake: FakeSlack, stream: Stream, arguments: Json) -> list[tuple[Literal["text", "blocks"], Any]]:
    """What the call adds, in order.

    Raises:
        Refusal: both ways of saying it at once, the other way than before, too much of it, a malformed chunk.
    """
    markdown, chunks = arguments.get("markdown_text"), arguments.get("chunks")
    if markdown is not None and chunks is not None:
        raise Refusal("cannot_provide_both_markdown_text_and_chunks", fault="markdown_text and chunks")
    if markdown is None and not chunks:
        return []
    mode: Literal["markdown_text", "chunks"] = "chunks" if markdown is None else "markdown_text"
    if stream.mode and stream.mode != mode:
        raise Refusal("streaming_mode_mismatch", fault=f"the stream was begun with {stream.mode}")
    stream.mode = mode
    if markdown is not None:
        check_markdown(markdown)
        return [("text", markdown)]
    content: list[tuple[Literal["text", "blocks"], Any]] = []
    for chunk in chunks or []:
        kind = chunk.get("type") if isinstance(chunk, dict) else None
        required, optional = _CHUNKS.get(str(kind), (set(), set()))
        if kind not in _CHUNKS or not required <= set(chunk) <= required | optional | {"type"}:
            raise Refusal("invalid_chunks", fault=f"chunk {chunk}")
        if kind == "markdown_text":
            content.append(("text", chunk["text"]))
        elif kind == "blocks":
            check_blocks(chunk["blocks"], file_exists=fake.file_exists)
            stream.chunk_blocks += len(chunk["blocks"])
            if stream.chunk_blocks > MESSAGE_BLOCKS:
                raise Refusal("msg_blocks_too_many", fault="more than 50 blocks in chunks")
            content.append(("blocks", chunk["blocks"]))
    check_markdown("".join(part for kind, part in content if kind == "text"))
    return content


def _add(message: Message, content: list[tuple[Literal["text", "blocks"], Any]]) -> None:
    for kind, part in content:
        if kind == "text":
            message.text += part
        else:
            message.blocks = [*message.blocks, *part]
