"""What the fake gives out is what python-telegram-bot can read: every field of it known, and nothing changed on the
way through its objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import telegram
from telegram import TelegramObject

from tests.fakes.telegram.state import Json

# Newer than the library (Bot API 10.1 to 10.3), which keeps them in api_kwargs.
_NEWER = {"stopped_message_generation", "rich_message"}
_RESULTS: dict[str, type[TelegramObject]] = {
    "getme": telegram.User,
    "getwebhookinfo": telegram.WebhookInfo,
    "getfile": telegram.File,
    "sendmessage": telegram.Message,
    "sendphoto": telegram.Message,
    "senddocument": telegram.Message,
    "sendmediagroup": telegram.Message,
    "sendrichmessage": telegram.Message,
    "editmessagetext": telegram.Message,
    "editmessagecaption": telegram.Message,
    "editmessagemedia": telegram.Message,
    "editmessagereplymarkup": telegram.Message,
    "getmycommands": telegram.BotCommand,
    "getmyname": telegram.BotName,
    "getmydescription": telegram.BotDescription,
    "getmyshortdescription": telegram.BotShortDescription,
    "getchatmenubutton": telegram.MenuButton,
    "getmydefaultadministratorrights": telegram.ChatAdministratorRights,
    "getchat": telegram.ChatFullInfo,
    "getchatmember": telegram.ChatMember,
    "getchatadministrators": telegram.ChatMember,
    "createforumtopic": telegram.ForumTopic,
    "getbusinessconnection": telegram.BusinessConnection,
}


def check_update(update: Json) -> None:
    """Raises:
    AssertionError: the fake made an update that is none.
    """
    _check(telegram.Update, update)


def check_result(method: str, result: Any) -> None:
    """Raises:
    AssertionError: the fake answered with what is no result of this method (in lower case).
    """
    kind = _RESULTS.get(method)
    if kind is None or result is True:
        return
    for one in result if isinstance(result, list) else [result]:
        _check(kind, one)


def _check(kind: type[TelegramObject], data: Json) -> None:
    read = kind.de_json(dict(data), None)
    for found in _objects(read):
        unknown = set(found.api_kwargs) - _NEWER
        assert not unknown, f"the fake's {type(found).__name__} has fields that PTB does not know: {sorted(unknown)}"
    _same(data, read.to_dict(), kind.__name__)


def _objects(found: Any) -> Iterator[TelegramObject]:
    """It and all objects in it."""
    if isinstance(found, list | tuple):
        for one in found:
            yield from _objects(one)
    if not isinstance(found, TelegramObject):
        return
    yield found
    for name in _slots(type(found)):
        value = getattr(found, name, None)
        if isinstance(value, TelegramObject | tuple | list):
            yield from _objects(value)


_SLOTS: dict[type, tuple[str, ...]] = {}


def _slots(kind: type) -> tuple[str, ...]:
    if kind not in _SLOTS:
        names = [name for parent in kind.__mro__ for name in getattr(parent, "__slots__", ())]
        _SLOTS[kind] = tuple(name for name in names if name not in ("_bot", "_id_attrs", "api_kwargs"))
    return _SLOTS[kind]


def _same(given: Any, read: Any, where: str) -> None:
    """All that was given is there after PTB has read it."""
    if isinstance(given, dict):
        assert isinstance(read, dict), f"{where}: {given} became {read}"
        for name, value in given.items():
            # An empty list is as good as none to PTB.
            if name not in read and value in ([], None, {}):
                continue
            assert name in read, f"{where}.{name} was lost"
            _same(value, read[name], f"{where}.{name}")
    elif isinstance(given, list):
        same = isinstance(read, list | tuple) and len(read) == len(given)
        assert same, f"{where}: {given} became {read}"
        for number, (one, other) in enumerate(zip(given, read, strict=True)):
            _same(one, other, f"{where}[{number}]")
    else:
        same = given == read and isinstance(given, bool) is isinstance(read, bool)
        assert same, f"{where}: {given!r} became {read!r}"
