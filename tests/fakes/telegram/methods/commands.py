"""The bot's commands, by scope and language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.fakes.telegram.methods.where import reach
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Chat, Json, User

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

_SCOPES = {
    "default": set(),
    "all_private_chats": set(),
    "all_group_chats": set(),
    "all_chat_administrators": set(),
    "chat": {"chat_id"},
    "chat_administrators": {"chat_id"},
    "chat_member": {"chat_id", "user_id"},
}
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


def _key(fake: FakeTelegram, arguments: Json) -> tuple[str, str]:
    """The scope and the language.

    Raises:
        Refusal: one of them is wrong.
    """
    scope = arguments.get("scope", {"type": "default"})
    kind = scope.get("type")
    if kind not in _SCOPES or set(scope) - {"type"} != _SCOPES[kind]:
        raise Refusal("can't parse BotCommandScope: Unsupported type specified", fault=f"scope {scope}")
    if "chat_id" in scope:
        reach(fake, scope["chat_id"])
    language = str(arguments.get("language_code", ""))
    if language and not re.fullmatch("[a-z]{2}", language):
        raise Refusal("invalid language code specified", fault=f"language_code {language}")
    return ":".join(str(scope[name]) for name in ("type", "chat_id", "user_id") if name in scope), language


def _set(fake: FakeTelegram, arguments: Json) -> bool:
    key, commands = _key(fake, arguments), arguments["commands"]
    if len(commands) > 100:
        raise Refusal("BOT_COMMANDS_TOO_MUCH", fault=f"{len(commands)} commands")
    kept: list[Json] = []
    for command in commands:
        name, description = str(command.get("command", "")).removeprefix("/"), str(command.get("description", ""))
        if not _COMMAND.fullmatch(name):
            raise Refusal("BOT_COMMAND_INVALID", fault=f"command {name}")
        if not 1 <= len(description) <= 256:
            raise Refusal("BOT_COMMAND_DESCRIPTION_INVALID", fault=f"description of {name}")
        if len({c["command"] for c in kept} | {name}) == len(kept):
            raise Refusal("BOT_COMMAND_INVALID", fault=f"command {name} twice")
        kept.append({"command": name, "description": description})
    fake.world.settings.commands[key] = kept
    return True


def _get(fake: FakeTelegram, arguments: Json) -> list[Json]:
    return fake.world.settings.commands.get(_key(fake, arguments), [])


def _delete(fake: FakeTelegram, arguments: Json) -> bool:
    fake.world.settings.commands.pop(_key(fake, arguments), None)
    return True


def shown(commands: dict[tuple[str, str], list[Json]], chat: Chat, user: User) -> list[str]:
    """The commands in somebody's menu: of the narrowest scope that has any, in his language or else in none
    (core.telegram.org/bots/api#determining-list-of-commands)."""
    admin = chat.members.get(user.id) in ("creator", "administrator")
    if chat.group:
        scopes = [f"chat_member:{chat.id}:{user.id}"]
        scopes += [f"chat_administrators:{chat.id}"] if admin else []
        scopes += [f"chat:{chat.id}"] + (["all_chat_administrators"] if admin else []) + ["all_group_chats"]
    else:
        scopes = [f"chat:{chat.id}", "all_private_chats"]
    for scope in [*scopes, "default"]:
        for language in (user.language[:2], ""):
            if found := commands.get((scope, language)):
                return [command["command"] for command in found]
    return []


HANDLERS = {"setMyCommands": _set, "getMyCommands": _get, "deleteMyCommands": _delete}
