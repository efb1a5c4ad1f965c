"""chat.*: messages, as far as they do not stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.slack.methods.content import check_look, read_content, require_text, thread_of
from tests.fakes.slack.methods.registry import method
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.state import Channel, Json, Message
from tests.fakes.slack.world import Caller

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack


def writable(fake: FakeSlack, caller: Caller, channel: str) -> Channel:
    """One that the bot may post to; a user's id means the conversation with him.

    Raises:
        Refusal: channel_not_found, is_archived, not_in_channel, messages_tab_disabled.
    """
    user = fake.world.users.get(channel)
    found = fake.im(user) if user else fake.world.channel(channel, caller)
    if found.archived:
        raise Refusal("is_archived")
    if caller.bot not in found.members:
        raise Refusal("not_in_channel")
    if found.kind == "im" and not fake.messages_tab:
        raise Refusal("messages_tab_disabled")
    return found


@method("chat.postMessage")
def post_message(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """A new message of the bot's."""
    check_look(arguments, caller)
    channel = writable(fake, caller, arguments["channel"])
    content = read_content(fake, arguments)
    require_text(content)
    thread = thread_of(fake, channel, arguments.get("thread_ts"))
    message = fake.world.add_message(
        channel,
        caller.bot,
        bot_id=caller.workspace.bot_id,
        thread_ts=thread,
        broadcast=bool(arguments.get("reply_broadcast")),
        **content,
    )
    # A message ends the status line of its thread.
    fake.world.statuses.pop((channel.id, message.root), None)
    fake.echo(message)
    return {"channel": channel.id, "ts": message.ts, "message": fake.world.message_json(message)}


@method("chat.postEphemeral")
def post_ephemeral(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """One that only `user` sees, and that nothing can find again."""
    check_look(arguments, caller)
    channel = writable(fake, caller, arguments["channel"])
    if arguments["user"] not in channel.members:
        raise Refusal("user_not_in_channel")
    content = read_content(fake, arguments)
    require_text(content)
    thread = thread_of(fake, channel, arguments.get("thread_ts"))
    message = fake.world.add_message(
        channel,
        caller.bot,
        bot_id=caller.workspace.bot_id,
        thread_ts=thread,
        ephemeral_to=arguments["user"],
        **content,
    )
    return {"message_ts": message.ts}


def own_message(fake: FakeSlack, caller: Caller, arguments: Json, code: str) -> tuple[Channel, Message]:
    """The bot's own message `ts`.

    Raises:
        Refusal: channel_not_found, message_not_found; `code` for somebody else's.
    """
    channel = fake.world.channel(arguments["channel"], caller)
    message = fake.world.message(channel, arguments["ts"])
    if message.author != caller.bot:
        raise Refusal(code)
    return channel, message


@method("chat.update")
def update(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Other words for a message. Text without blocks takes the blocks away."""
    channel, message = own_message(fake, caller, arguments, "cant_update_message")
    fake.expire(message)
    if message.stream is not None and message.stream.state == "in_progress":
        raise Refusal("streaming_state_conflict")
    content = read_content(fake, arguments)
    if not set(content) - {"metadata"}:
        raise Refusal("no_text", fault="an update that changes nothing")
    if "text" in content and "blocks" not in content:
        content["blocks"] = []
    require_text({"text": message.text, "blocks": message.blocks} | content)
    if message.stream is not None and set(content) - {"metadata"}:
        # What was streamed is a block of the message by now, and goes with the others.
        message.stream = None
    for name, value in content.items():
        setattr(message, name, value)
    # What was streamed is gone with the edit; from now on it is a message like any other.
    message.stream = None
    if "blocks" not in arguments:
        message.edited = fake.world.clock.stamp()
    fake.echo(message, change=True)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": fake.world.message_json(message),
    }


@method("chat.delete")
def delete(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Takes the bot's own message away."""
    channel, message = own_message(fake, caller, arguments, "cant_delete_message")
    if fake.world.replies(channel, message):
        message.text, message.blocks, message.files = "This message was deleted.", [], []
        message.author, message.subtype, message.bot_id = "USLACKBOT", "tombstone", ""
    else:
        del channel.messages[message.ts]
    return {"channel": channel.id, "ts": message.ts}


@method("chat.getPermalink")
def permalink(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Where a browser shows the message."""
    channel = fake.world.channel(arguments["channel"], caller)
    message = fake.world.message(channel, arguments["message_ts"])
    link = f"https://{caller.workspace.name}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}
