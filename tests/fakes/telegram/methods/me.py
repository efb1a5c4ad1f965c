"""The bot itself: its name, its descriptions, its session on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Json

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

_MOST = {"name": 64, "description": 512, "short_description": 120}
NO_RIGHTS: tuple[str, ...] = (
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
)
NO_RIGHTS += ("can_promote_members", "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories")
NO_RIGHTS += ("can_delete_stories",)


def _get_me(fake: FakeTelegram, arguments: Json) -> Json:
    return fake.bot.as_json() | {
        "can_join_groups": True,
        "can_read_all_group_messages": not fake.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": True,
        "has_main_web_app": False,
    }


def _log_out(fake: FakeTelegram, arguments: Json) -> bool:
    fake.logged_out = True
    return True


def _close(fake: FakeTelegram, arguments: Json) -> bool:
    return True


def _texts(fake: FakeTelegram, what: str) -> dict[str, str]:
    settings = fake.world.settings
    return {"name": settings.names, "description": settings.descriptions}.get(what, settings.short_descriptions)


def _set(fake: FakeTelegram, arguments: Json, what: str) -> bool:
    text, language = arguments.get(what, ""), _language(arguments)
    if len(text) > _MOST[what]:
        raise Refusal(f"{what.replace('_', ' ')} is too long", fault=f"{what} of {len(text)} characters")
    texts = _texts(fake, what)
    texts[language] = text
    if not text:
        texts.pop(language)
    return True


def _get(fake: FakeTelegram, arguments: Json, what: str) -> Json:
    texts = _texts(fake, what)
    first = fake.bot.name if what == "name" else ""
    return {what: texts.get(_language(arguments), texts.get("", first))}


def _language(arguments: Json) -> str:
    """Raises:
    Refusal: no code of two letters.
    """
    code = str(arguments.get("language_code", ""))
    if code and not (len(code) == 2 and code.isascii() and code.islower()):
        raise Refusal("invalid language code specified", fault=f"language_code {code}")
    return code


def _set_rights(fake: FakeTelegram, arguments: Json) -> bool:
    fake.world.settings.rights = arguments.get("rights", {})
    return True


def _get_rights(fake: FakeTelegram, arguments: Json) -> Json:
    return dict.fromkeys(NO_RIGHTS, False) | fake.world.settings.rights


def _set_menu(fake: FakeTelegram, arguments: Json) -> bool:
    button = arguments.get("menu_button", {"type": "default"})
    if button.get("type") not in ("default", "commands", "web_app"):
        raise Refusal("can't parse menu button: invalid type", fault=f"menu_button {button}")
    fake.world.settings.menu_buttons[arguments.get("chat_id", 0)] = button
    return True


def _get_menu(fake: FakeTelegram, arguments: Json) -> Json:
    buttons = fake.world.settings.menu_buttons
    return buttons.get(arguments.get("chat_id", 0), buttons.get(0, {"type": "commands"}))


HANDLERS = {
    "getMe": _get_me,
    "logOut": _log_out,
    "close": _close,
    "setMyName": lambda fake, arguments: _set(fake, arguments, "name"),
    "getMyName": lambda fake, arguments: _get(fake, arguments, "name"),
    "setMyDescription": lambda fake, arguments: _set(fake, arguments, "description"),
    "getMyDescription": lambda fake, arguments: _get(fake, arguments, "description"),
    "setMyShortDescription": lambda fake, arguments: _set(fake, arguments, "short_description"),
    "getMyShortDescription": lambda fake, arguments: _get(fake, arguments, "short_description"),
    "setMyDefaultAdministratorRights": _set_rights,
    "getMyDefaultAdministratorRights": _get_rights,
    "setChatMenuButton": _set_menu,
    "getChatMenuButton": _get_menu,
}
