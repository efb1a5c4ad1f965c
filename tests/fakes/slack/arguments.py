"""The arguments and scopes of every method that the fake knows, as the pages of docs.slack.dev/reference/methods have
them. A method that is not here is an unknown one.

An argument is `name`, `name!` when required, `name:type` with b for true or false, i for a whole number, j for a JSON
object, l for a JSON list; without a type it is text.
"""

import json
from dataclasses import dataclass
from typing import Any

from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.state import Json

_POST = "channel! text attachments:l blocks:l as_user:b icon_emoji icon_url link_names:b username parse markdown_text"
_HISTORY = "cursor inclusive:b include_all_metadata:b latest limit:i oldest"
_LOOK = "icon_emoji icon_url username"
_METHODS = {
    "api.test": ("", "error foo"),
    "auth.test": ("", ""),
    "auth.revoke": ("", "test:b"),
    "apps.connections.open": ("connections:write", ""),
    "oauth.v2.access": ("", "client_id client_secret code redirect_uri grant_type refresh_token code_verifier"),
    "chat.postMessage": (
        "chat:write",
        f"{_POST} thread_ts reply_broadcast:b unfurl_links:b unfurl_media:b unfurl_app_links:b mrkdwn:b metadata:j",
    ),
    "chat.postEphemeral": ("chat:write", f"{_POST} user! thread_ts metadata:j"),
    "chat.update": (
        "chat:write",
        "channel! ts! text attachments:l blocks:l as_user:b file_ids link_names:b parse reply_broadcast:b metadata:j "
        "markdown_text unfurled_attachments:l",
    ),
    "chat.delete": ("chat:write", "channel! ts! as_user:b"),
    "chat.getPermalink": ("", "channel! message_ts!"),
    "chat.startStream": (
        "chat:write",
        f"channel! thread_ts! markdown_text chunks:l recipient_team_id recipient_user_id task_display_mode {_LOOK}",
    ),
    "chat.appendStream": ("chat:write", "channel! ts! markdown_text chunks:l"),
    "chat.stopStream": ("chat:write", "channel! ts! markdown_text chunks:l blocks:l metadata:j session_status"),
    "agents.sessions.setStatus": ("chat:write", f"channel_id status! thread_ts title initiator_user_id {_LOOK}"),
    "agents.sessions.rename": ("chat:write", "channel_id title! thread_ts"),
    "assistant.threads.setStatus": ("chat:write", f"channel_id! thread_ts! status!? loading_messages:l {_LOOK}"),
    "assistant.threads.setTitle": ("assistant:write", "channel_id! thread_ts! title!"),
    "assistant.threads.setSuggestedPrompts": ("assistant:write", "channel_id! thread_ts title prompts!:l"),
    # The scopes of these follow from the kind of the conversation.
    "conversations.replies": ("*:history", f"channel! ts! {_HISTORY}"),
    "conversations.history": ("*:history", f"channel! {_HISTORY}"),
    "conversations.info": ("*:read", "channel! include_locale:b include_num_members:b"),
    "conversations.open": ("*:write", "channel users return_im:b prevent_creation:b"),
    "users.info": ("users:read", "user! include_locale:b"),
    "bots.info": ("users:read", "bot team_id"),
    "reactions.add": ("reactions:write", "channel! name! timestamp!"),
    "reactions.remove": ("reactions:write", "channel! name! timestamp!"),
    "files.info": ("files:read", "file! count:i cursor limit:i page:i"),
    "files.getUploadURLExternal": ("files:write", "filename! length!:i alt_txt snippet_type"),
    "files.completeUploadExternal": (
        "files:write",
        f"files!:l channel_id channels initial_comment thread_ts blocks:l {_LOOK}",
    ),
    "views.publish": ("", "user_id! view!:j hash interactivity_pointer"),
    "views.open": ("", "trigger_id view!:j interactivity_pointer"),
    "views.update": ("", "view!:j external_id view_id hash"),
}


@dataclass(frozen=True)
class Argument:
    """`empty`: a required one that may be the empty text."""

    name: str
    kind: str
    required: bool
    empty: bool


@dataclass(frozen=True)
class Method:
    """`scope` is "" when any token will do and starts with `*:` when the conversation's kind decides."""

    name: str
    scope: str
    arguments: dict[str, Argument]


def _parse(text: str) -> Argument:
    name, _, kind = text.partition(":")
    bare = name.rstrip("!?")
    return Argument(bare, kind, "!" in name, "?" in name)


METHODS = {
    name: Method(name, scope, {(one := _parse(text)).name: one for text in arguments.split()})
    for name, (scope, arguments) in _METHODS.items()
}


def read_arguments(method: Method, given: Json) -> tuple[Json, list[str]]:
    """What the caller gave, as values of the right type, and the names of what the method does not know.

    Slack passes unknown arguments over in silence; a test must not.

    Raises:
        Refusal: invalid_arguments, with Slack's messages, for one that is missing or of a wrong type.
    """
    values: Json = {}
    for name, value in given.items():
        known = method.arguments.get(name)
        if known is not None and value is not None:
            values[name] = _value(known, value)
    for argument in method.arguments.values():
        value = values.get(argument.name)
        if argument.required and (value is None or (value == "" and not argument.empty)):
            raise _wrong(f"missing required field: {argument.name}")
    return values, [name for name in given if name not in method.arguments]


def _value(argument: Argument, value: Any) -> Any:
    if argument.kind == "b":
        if isinstance(value, bool):
            return value
        if value in ("true", "1", 1):
            return True
        if value in ("false", "0", 0):
            return False
        raise _wrong(f"must be a boolean: {argument.name}")
    if argument.kind == "i":
        try:
            return int(value)
        except (TypeError, ValueError):
            raise _wrong(f"must be an integer: {argument.name}") from None
    if argument.kind in ("j", "l"):
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except json.JSONDecodeError:
                code = "invalid_blocks_format" if argument.name == "blocks" else "invalid_arguments"
                raise Refusal(code, fault=f"{argument.name} is no JSON") from None
        if not isinstance(value, dict if argument.kind == "j" else list):
            raise _wrong(f"must be {'an object' if argument.kind == 'j' else 'an array'}: {argument.name}")
        return value
    if not isinstance(value, str):
        raise _wrong(f"must be a string: {argument.name}")
    return value


def _wrong(why: str) -> Refusal:
    return Refusal("invalid_arguments", fault=why, response_metadata={"messages": [f"[ERROR] {why}"]})
