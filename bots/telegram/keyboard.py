"""Buttons as Telegram's inline keyboards."""

from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.chat.actions import THUMBS_DOWN, THUMBS_UP, Button, read_action

# Buttons in one row, as long as their labels are short.
_IN_A_ROW, _ROW_CHARS = 3, 36


def keyboard_of(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """Buttons below a message: a few short ones in a row."""
    rows: list[list[InlineKeyboardButton]] = []
    room = 0
    for button in buttons:
        action = read_action(button.value)
        thumb = action is not None and action.name in (THUMBS_UP, THUMBS_DOWN)
        length = 1 if thumb else len(button.label)
        if not rows or len(rows[-1]) >= _IN_A_ROW or room < length:
            rows.append([])
            room = _ROW_CHARS
        rows[-1].append(InlineKeyboardButton(button.label, callback_data=button.value))
        room -= length + 4
    return InlineKeyboardMarkup(rows) if rows else None
