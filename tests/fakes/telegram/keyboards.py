"""What an inline keyboard may be, and the other kinds of reply_markup."""

from __future__ import annotations

from typing import Any

from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Json

_ACTIONS = {
    *("url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat"),
    *("switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay"),
}
_LOOKS = {"text", "style", "icon_custom_emoji_id"}
_KINDS = ("inline_keyboard", "keyboard", "remove_keyboard", "force_reply")
# Telegram's servers allow so many buttons; a row shows eight (*read*, in bots' forums, not in the documentation).
_MOST, _A_ROW, _DATA = 100, 8, 64


def read_markup(given: Any) -> Json | None:
    """A reply_markup as it is kept.

    Raises:
        Refusal: it is no such thing, or beyond a limit.
    """
    if given is None:
        return None
    if not isinstance(given, dict) or not any(kind in given for kind in _KINDS):
        raise Refusal("object expected as reply markup", fault=f"reply_markup {given}")
    rows = given.get("inline_keyboard")
    if rows is None:
        return dict(given)
    if set(given) != {"inline_keyboard"}:
        raise _wrong(f"unknown field in an inline keyboard: {sorted(set(given) - {'inline_keyboard'})}")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise _wrong('field "inline_keyboard" must be of type Array of Array')
    for row in rows:
        for button in row:
            _check(button)
        if len(row) > _A_ROW:
            raise Refusal("reply markup is too long", fault=f"{len(row)} buttons in a row")
    if sum(map(len, rows)) > _MOST:
        raise Refusal("reply markup is too long", fault="more than a hundred buttons")
    kept = [row for row in rows if row]
    return {"inline_keyboard": kept} if kept else None


def _check(button: Any) -> None:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise _wrong('can\'t parse inline keyboard button: field "text" must be of type String')
    if not button["text"].strip():
        raise _wrong('can\'t parse inline keyboard button: field "text" must be non-empty')
    actions = set(button) & _ACTIONS
    if unknown := set(button) - _ACTIONS - _LOOKS:
        raise _wrong(f"can't parse inline keyboard button: unknown field {sorted(unknown)}")
    if not actions:
        raise _wrong("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise _wrong("can't parse inline keyboard button: exactly one action is allowed")
    data = button.get("callback_data")
    if data is not None and not (isinstance(data, str) and 1 <= len(data.encode()) <= _DATA):
        raise Refusal("BUTTON_DATA_INVALID", fault=f"callback_data of {len(str(data).encode())} bytes")
    url = button.get("url")
    if url is not None and not str(url).startswith(("http://", "https://", "tg://")):
        raise _wrong(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def _wrong(why: str) -> Refusal:
    return Refusal(why, fault=why)
