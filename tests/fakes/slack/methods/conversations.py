"""conversations.*: what was said, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.slack.methods.content import need_scope
from tests.fakes.slack.methods.registry import method
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.state import Channel, Json, Message
from tests.fakes.slack.world import Caller

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack


def _readable(fake: FakeSlack, caller: Caller, channel: str, suffix: str) -> Channel:
    found = fake.world.channel(channel, caller)
    need_scope(caller, f"{found.scope}:{suffix}")
    return found


def _page(fake: FakeSlack, messages: list[Message], arguments: Json, most: int) -> Json:
    """One page, cut by oldest and latest. The cursor is the place in the list that it goes on from."""
    oldest, latest = arguments.get("oldest", ""), arguments.get("latest", "")
    inclusive = bool(arguments.get("inclusive"))

    def within(message: Message) -> bool:
        ts = float(message.ts)
        after = not oldest or ts > float(oldest) or (inclusive and ts == float(oldest))
        before = not latest or ts < float(latest) or (inclusive and ts == float(latest))
        return after and before

    messages = [message for message in messages if within(message)]
    limit = min(arguments.get("limit") or most, fake.history_limit or 1_000_000)
    if not 0 < limit < 1_000:
        raise Refusal("invalid_limit", fault=f"limit {limit}")
    cursor = arguments.get("cursor") or "at-0"
    if not cursor.startswith("at-") or not cursor[3:].isdigit():
        raise Refusal("invalid_cursor")
    start = int(cursor[3:])
    more = start + limit < len(messages)
    metadata = bool(arguments.get("include_all_metadata"))
    answer: Json = {
        "messages": [fake.world.message_json(m, metadata=metadata) for m in messages[start : start + limit]],
        "has_more": more,
    }
    return answer | {"response_metadata": {"next_cursor": f"at-{start + limit}"}} if more else answer


@method("conversations.history")
def history(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """What stands in the conversation itself, newest first: replies only where they were broadcast."""
    channel = _readable(fake, caller, arguments["channel"], "history")
    if caller.bot not in channel.members:
        raise Refusal("not_in_channel")
    messages = [m for m in reversed(channel.messages.values()) if not m.ephemeral_to]
    shown = [m for m in messages if not m.thread_ts or m.broadcast]
    return _page(fake, shown, arguments, 100) | {"pin_count": 0}


@method("conversations.replies")
def replies(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """A thread, oldest first, by the ts of any of its messages."""
    channel = _readable(fake, caller, arguments["channel"], "history")
    if caller.bot not in channel.members:
        raise Refusal("not_in_channel")
    message = fake.world.message(channel, arguments["ts"], "thread_not_found")
    thread = [m for m in fake.world.thread(channel, message.root) if not m.ephemeral_to]
    if message.thread_ts:
        thread = [message]  # Slack gives a reply's own ts back as that one message.
    return _page(fake, thread, arguments, 999)


@method("conversations.info")
def info(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """What it is."""
    channel = _readable(fake, caller, arguments["channel"], "read")
    answer = channel.as_json(caller.bot)
    if arguments.get("include_locale"):
        answer["locale"] = "en-US"
    return {"channel": answer}


@method("conversations.open")
def open_conversation(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """The direct conversation with one user, or the group of several."""
    if arguments.get("channel"):
        channel = fake.world.channel(arguments["channel"], caller)
    else:
        names = [name for name in (arguments.get("users") or "").split(",") if name]
        if not names:
            raise Refusal("users_list_not_supplied", fault="neither channel nor users")
        if any(name not in fake.world.users for name in names):
            raise Refusal("user_not_found")
        users = [fake.world.users[name] for name in names]
        need_scope(caller, "mpim:write" if len(users) > 1 else "im:write")
        if len(users) > 8:
            raise Refusal("too_many_users", fault="more than 8 users")
        channel = fake.im(users[0]) if len(users) == 1 else fake.mpim(*users)
    shown = channel.as_json(caller.bot) if arguments.get("return_im") else {"id": channel.id}
    return {"channel": shown, "no_op": True, "already_open": True}
