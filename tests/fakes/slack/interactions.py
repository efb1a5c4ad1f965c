"""The payloads of what people press, pick and type (docs.slack.dev/reference/interaction-payloads)."""

from __future__ import annotations

from tests.fakes.slack.state import Channel, Json, Message, User, Workspace
from tests.fakes.slack.world import World


def _common(world: World, workspace: Workspace, user: User, kind: str) -> Json:
    return {
        "type": kind,
        "team": {"id": workspace.id, "domain": workspace.name},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": world.app_id,
        "token": "verification-token",
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _channel_name(channel: Channel) -> str:
    return {"im": "directmessage", "group": "privategroup"}.get(channel.kind, channel.name)


def message_action(
    world: World, workspace: Workspace, user: User, message: Message, *, callback_id: str, trigger: str, url: str
) -> Json:
    """A message shortcut. It carries the message, files and all."""
    channel = world.channels[message.channel]
    return _common(world, workspace, user, "message_action") | {
        "action_ts": world.clock.stamp(),
        "callback_id": callback_id,
        "trigger_id": trigger,
        "response_url": url,
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": _channel_name(channel)},
        "message": world.message_json(message),
    }


def slash_command(
    world: World, workspace: Workspace, user: User, channel: Channel, *, command: str, text: str, trigger: str, url: str
) -> Json:
    """A form, not JSON; and nothing in it says which thread."""
    return {
        "token": "verification-token",
        "team_id": workspace.id,
        "team_domain": workspace.name,
        "channel_id": channel.id,
        "channel_name": _channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": world.app_id,
        "is_enterprise_install": "false",
        "response_url": url,
        "trigger_id": trigger,
    }


def block_actions(
    world: World, workspace: Workspace, user: User, action: Json, *, trigger: str, url: str, message: Message
) -> Json:
    """A button or the like in a message."""
    channel = world.channels[message.channel]
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": bool(message.ephemeral_to),
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _common(world, workspace, user, "block_actions") | {
        "container": container,
        "trigger_id": trigger,
        "channel": {"id": channel.id, "name": _channel_name(channel)},
        "state": {"values": {}},
        "response_url": url,
        "actions": [action],
    }
    # Of an ephemeral message nothing is kept to send along.
    return payload if message.ephemeral_to else payload | {"message": world.message_json(message)}


def view_actions(world: World, workspace: Workspace, user: User, action: Json, *, trigger: str, view: Json) -> Json:
    """A button or the like in App Home or a dialog."""
    return _common(world, workspace, user, "block_actions") | {
        "container": {"type": "view", "view_id": view["id"]},
        "trigger_id": trigger,
        "view": view,
        "actions": [action],
    }


def view_submission(world: World, workspace: Workspace, user: User, view: Json, values: Json, trigger: str) -> Json:
    """A dialog sent off. `values`: block_id, then action_id, then the element's state."""
    filled = view | {"state": {"values": values}}
    return _common(world, workspace, user, "view_submission") | {
        "trigger_id": trigger,
        "view": {name: value for name, value in filled.items() if name != "user"},
        "response_urls": [],
    }


def pressed(element: Json, block_id: str, stamp: str, *, choice: str = "") -> Json:
    """The entry of `actions`. `choice`: the value of an option, or positive or negative for feedback buttons."""
    action: Json = {
        "action_id": element.get("action_id", ""),
        "block_id": block_id,
        "type": element["type"],
        "action_ts": stamp,
    }
    if element["type"] == "feedback_buttons":
        button = element[f"{choice or 'positive'}_button"]
        return action | {"value": button["value"], "text": button["text"]}
    if element["type"] in ("static_select", "overflow", "radio_buttons"):
        option = next(option for option in element["options"] if option.get("value") == choice)
        return action | {"selected_option": option}
    if "value" in element:
        action["value"] = element["value"]
    return action | {"text": element.get("text", {})}
