"""The payloads of the Events API, as docs.slack.dev/reference/events has them."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.state import Channel, Json, Message, User, Workspace
from tests.fakes.slack.world import World


def callback(world: World, workspace: Workspace, event: Json, *, channel: Channel | None = None) -> Json:
    """An event in its envelope, with an id of its own."""
    return {
        "token": "verification-token",
        "team_id": workspace.id,
        "context_team_id": workspace.id,
        "context_enterprise_id": None,
        "api_app_id": world.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": world.ids("Ev"),
        "event_time": int(world.clock.now()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.id,
                "user_id": workspace.bot_user.id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": bool(channel and channel.shared),
        "event_context": f"4-{world.ids('x')}",
    }


def message(world: World, message: Message, *, files: bool = True) -> Json:
    """message.im, message.channels, message.groups, message.mpim. `files` False: without them, as sometimes happens."""
    channel = world.channels[message.channel]
    event = world.message_json(message, event=True)
    event |= {"channel": channel.id, "event_ts": message.ts, "channel_type": _channel_type(channel)}
    return event if files else _without_files(event)


def app_mention(world: World, message: Message, *, files: bool = True) -> Json:
    """Comes beside `message` for one that names the bot."""
    event = world.message_json(message, event=True)
    event |= {"type": "app_mention", "channel": message.channel, "event_ts": message.ts}
    event.pop("subtype", None)
    return event if files else _without_files(event)


def message_changed(world: World, after: Message, before: Json, *, stamp: str) -> Json:
    """An edit, or the deletion of a message with replies; `before` is what `message_json` gave before it."""
    channel = world.channels[after.channel]
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": world.message_json(after, event=True) | ({"hidden": True} if after.subtype == "tombstone" else {}),
        "previous_message": before,
        "channel": channel.id,
        "hidden": True,
        "ts": stamp,
        "event_ts": stamp,
        "channel_type": _channel_type(channel),
    }


def message_deleted(world: World, channel: Channel, before: Json, *, stamp: str) -> Json:
    """A message taken away."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": before,
        "channel": channel.id,
        "hidden": True,
        "deleted_ts": before["ts"],
        "ts": stamp,
        "event_ts": stamp,
        "channel_type": _channel_type(channel),
    }


def app_home_opened(world: World, user: User, im: Channel, tab: str, stamp: str, view: Json | None) -> Json:
    """`tab` is home or messages. The view is there when one was published before."""
    event: Json = {"type": "app_home_opened", "user": user.id, "channel": im.id, "tab": tab, "event_ts": stamp}
    if tab == "messages":
        event["context"] = {"entities": []}
    return event | ({"view": view} if view and tab == "home" else {})


def app_context_changed(user: User, im: Channel, stamp: str, seen: Channel | None, team_id: str) -> Json:
    """What somebody looks at while the app is beside it; nothing, when `seen` is None."""
    entities = [{"type": "slack#/types/channel_id", "value": seen.id, "team_id": team_id}] if seen else []
    context: Json = {"entities": entities} if entities else {}
    return {
        "type": "app_context_changed",
        "user": user.id,
        "channel": im.id,
        "context": context,
        "event_ts": stamp,
    }


def agent_session_stopped(user: User, channel: Channel, thread_ts: str, streaming: list[str], stamp: str) -> Json:
    """Slack's own Stop. `streaming`: the streams that it has cut off."""
    return {
        "type": "agent_session_stopped",
        "user": user.id,
        "channel": channel.id,
        "thread_ts": thread_ts,
        "streaming_message_ts": streaming,
        "event_ts": stamp,
    }


def app_uninstalled() -> Json:
    """The app is gone from the workspace."""
    return {"type": "app_uninstalled"}


def tokens_revoked(bots: list[str]) -> Json:
    """The tokens of these bot users are worth nothing."""
    return {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": bots}}


def url_verification(challenge: str) -> Json:
    """The first thing that a request URL is asked."""
    return {"token": "verification-token", "challenge": challenge, "type": "url_verification"}


def _channel_type(channel: Channel) -> str:
    return {"channel": "channel", "group": "group", "im": "im", "mpim": "mpim"}[channel.kind]


def _without_files(event: Json) -> Json:
    gone: dict[str, Any] = {name: value for name, value in event.items() if name not in ("files", "upload")}
    return gone
