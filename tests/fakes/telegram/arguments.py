"""The arguments of every method that the fake knows, as core.telegram.org/bots/api has them in Bot API 10.0 and what is
known of 10.3. A method that is not here is an unknown one.

An argument is `name`, `name!` when required, `name:type` with i for a whole number, b for true or false, j for a JSON
object, l for a JSON list, c for a chat's id, f for a file; without a type it is text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Json

_WHERE = "chat_id!:c message_thread_id:i business_connection_id direct_messages_topic_id:i"
_HOW = (
    "disable_notification:b protect_content:b allow_paid_broadcast:b message_effect_id reply_parameters:j "
    "reply_markup:j suggested_post_parameters:j"
)
_CAPTION = "caption parse_mode caption_entities:l show_caption_above_media:b has_spoiler:b"
_EDIT = "business_connection_id chat_id:c message_id:i inline_message_id reply_markup:j"
_DRAFT = "chat_id!:c message_thread_id:i draft_id!:i can_stop:b keep_on_stop:b"
_METHODS = {
    "getMe": "",
    "logOut": "",
    "close": "",
    "getUpdates": "offset:i limit:i timeout:i allowed_updates:l",
    "setWebhook": (
        "url! certificate:f ip_address max_connections:i allowed_updates:l drop_pending_updates:b secret_token"
    ),
    "deleteWebhook": "drop_pending_updates:b",
    "getWebhookInfo": "",
    "getFile": "file_id!",
    "sendMessage": f"{_WHERE} text! parse_mode entities:l link_preview_options:j {_HOW}",
    "sendPhoto": f"{_WHERE} photo!:f {_CAPTION} {_HOW}",
    "sendDocument": (
        f"{_WHERE} document!:f thumbnail:f caption parse_mode caption_entities:l "
        f"disable_content_type_detection:b {_HOW}"
    ),
    "sendMediaGroup": (
        f"{_WHERE} media!:l disable_notification:b protect_content:b allow_paid_broadcast:b message_effect_id "
        "reply_parameters:j"
    ),
    "sendRichMessage": f"{_WHERE} rich_message!:j {_HOW}",
    "sendMessageDraft": f"{_DRAFT} text parse_mode entities:l",
    "sendRichMessageDraft": f"{_DRAFT} rich_message!:j",
    "sendChatAction": "business_connection_id chat_id!:c message_thread_id:i action!",
    "setMessageReaction": "chat_id!:c message_id!:i reaction:l is_big:b",
    "editMessageText": f"{_EDIT} text parse_mode entities:l link_preview_options:j rich_message:j",
    "editMessageCaption": f"{_EDIT} caption parse_mode caption_entities:l show_caption_above_media:b",
    "editMessageMedia": f"{_EDIT} media!:j",
    "editMessageReplyMarkup": _EDIT,
    "deleteMessage": "chat_id!:c message_id!:i",
    "deleteMessages": "chat_id!:c message_ids!:l",
    "deleteBusinessMessages": "business_connection_id! message_ids!:l",
    "answerCallbackQuery": "callback_query_id! text show_alert:b url cache_time:i",
    "setMyCommands": "commands!:l scope:j language_code",
    "getMyCommands": "scope:j language_code",
    "deleteMyCommands": "scope:j language_code",
    "setMyName": "name language_code",
    "getMyName": "language_code",
    "setMyDescription": "description language_code",
    "getMyDescription": "language_code",
    "setMyShortDescription": "short_description language_code",
    "getMyShortDescription": "language_code",
    "setChatMenuButton": "chat_id:i menu_button:j",
    "getChatMenuButton": "chat_id:i",
    "setMyDefaultAdministratorRights": "rights:j for_channels:b",
    "getMyDefaultAdministratorRights": "for_channels:b",
    "getChat": "chat_id!:c",
    "getChatMember": "chat_id!:c user_id!:i",
    "getChatMemberCount": "chat_id!:c",
    "getChatAdministrators": "chat_id!:c",
    "leaveChat": "chat_id!:c",
    "createForumTopic": "chat_id!:c name! icon_color:i icon_custom_emoji_id",
    "getBusinessConnection": "business_connection_id!",
    "readBusinessMessage": "business_connection_id! chat_id!:i message_id!:i",
}


@dataclass(frozen=True)
class Argument:
    """One argument."""

    name: str
    kind: str
    required: bool


@dataclass(frozen=True)
class Method:
    """A method and its arguments by name."""

    name: str
    arguments: dict[str, Argument]


@dataclass
class Upload:
    """A part of a multipart form: a file on its way up."""

    name: str
    content: bytes
    media_type: str


def _parse(text: str) -> Argument:
    name, _, kind = text.partition(":")
    return Argument(name.rstrip("!"), kind, name.endswith("!"))


# Telegram does not mind the case of a method's name.
METHODS = {
    name.lower(): Method(name, {(one := _parse(text)).name: one for text in arguments.split()})
    for name, arguments in _METHODS.items()
}


def read_arguments(method: Method, given: Json) -> Json:
    """What the caller gave, as values of the right type.

    Telegram passes unknown arguments over in silence; a test must not.

    Raises:
        Refusal: for one that is missing, unknown or of a wrong type.
    """
    values: Json = {}
    for name, value in given.items():
        known = method.arguments.get(name)
        if known is None:
            raise Refusal(f"unknown argument {name}", fault=f"{method.name} has no argument {name}")
        values[name] = _value(known, value)
    for argument in method.arguments.values():
        if argument.required and argument.name not in values:
            raise Refusal(_missing(argument), fault=f"{method.name} without {argument.name}")
    return values


def _missing(argument: Argument) -> str:
    """As the server says it: with words of its own for some."""
    if argument.name == "chat_id":
        return "chat_id is empty"
    if argument.kind == "f":
        return f"there is no {argument.name} in the request"
    if argument.name == "text":
        return "message text is empty"
    return f'parameter "{argument.name}" is required'


def _value(argument: Argument, value: Any) -> Any:
    name, kind = argument.name, argument.kind
    if kind == "f":
        return value
    if isinstance(value, Upload):
        raise _wrong(f"{name} must not be a file")
    if kind in ("j", "l"):
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except json.JSONDecodeError:
                raise _wrong(f"can't parse {name} JSON object") from None
        if not isinstance(value, dict if kind == "j" else list):
            raise _wrong(f"{'object' if kind == 'j' else 'array'} expected as {name}")
        return value
    if kind == "b":
        if isinstance(value, bool):
            return value
        if str(value).lower() in ("true", "false", "0", "1", "yes", "no", "t", "f"):
            return str(value).lower() in ("true", "1", "yes", "t")
        raise _wrong(f"{name} must be a Boolean")
    if kind == "i" or (kind == "c" and not str(value).startswith("@")):
        try:
            return int(value)
        except (TypeError, ValueError):
            if kind == "c":
                raise Refusal("chat not found", fault=f"chat_id {value!r}") from None
            raise _wrong(f"{name} must be an Integer") from None
    if not isinstance(value, str):
        raise _wrong(f"{name} must be a String")
    return value


def _wrong(why: str) -> Refusal:
    return Refusal(why, fault=why)
