"""Parts and buttons as Slack's blocks."""

import re
from collections.abc import Sequence
from typing import Any

from bots.chat.actions import THUMBS_DOWN, THUMBS_UP, Button, read_action
from bots.chat.defang import without_links
from bots.chat.platform import Part

Block = dict[str, Any]
# Our messages carry it, so that a process that comes after us knows which they are.
ANSWER_EVENT, NOTICE_EVENT = "glimt_answer", "glimt_notice"
# Slack's limit for the Markdown of one message is 12,000.
MESSAGE_CHARS = 11_500
_TEXT_CHARS = 3_000
# What stands above a picture; there is room for more, but who would look for the picture then?
CAPTION_CHARS = 3_000
_LABEL_CHARS = 75
FEEDBACK_ID = "glimt_feedback"
BUTTON_ID = "glimt_button"
# <!channel>, <@U…>, <#C…>: whoever can make us write one would call everybody.
_CALL = re.compile(r"<(?=[!@#])")
_INVISIBLE = "\u200b"
# Addresses in a human's words, which may be links.
_LINK = re.compile(r"https?://[^\s<>\"'`|]{1,2000}", re.IGNORECASE)
_TRAILING = ".,;:!?)]}。，；：！？）"


def calling_nobody(text: str) -> str:
    """The same to read, but without any of Slack's mentions. What was begun stays a beginning."""
    return _CALL.sub(f"<{_INVISIBLE}", text)


def buttons_of(buttons: Sequence[Button]) -> list[Block]:
    """Thumbs as Slack's own feedback buttons, the others in a row."""
    by_name = {action.name: button for button in buttons if (action := read_action(button.value)) is not None}
    up, down = by_name.get(THUMBS_UP), by_name.get(THUMBS_DOWN)
    blocks: list[Block] = []
    if up is not None and down is not None:
        feedback = {
            "type": "feedback_buttons",
            "action_id": FEEDBACK_ID,
            "positive_button": {"text": _plain(up.label), "value": up.value},
            "negative_button": {"text": _plain(down.label), "value": down.value},
        }
        blocks.append({"type": "context_actions", "elements": [feedback]})
        buttons = [button for button in buttons if button not in (up, down)]
    if buttons:
        elements = []
        for number, button in enumerate(buttons):
            element: Block = {
                "type": "button",
                "action_id": f"{BUTTON_ID}_{number}",
                "text": _plain(button.label),
                "value": button.value,
            }
            elements.append(element | ({"style": "danger"} if button.danger else {}))
        blocks.append({"type": "actions", "elements": elements})
    return blocks


def said(text: str, blocks: Sequence[Block] = ()) -> dict[str, Any]:
    """Arguments of a message: Markdown as a block, and its beginning as plain text for notifications."""
    text = calling_nobody(text)
    return {"text": text[:_TEXT_CHARS], "blocks": [{"type": "markdown", "text": text}, *blocks]}


def plainly_said(text: str, blocks: Sequence[Block] = ()) -> dict[str, Any]:
    """As `said`, where Slack does not take the Markdown: letter by letter."""
    text = calling_nobody(text)
    pieces = [text[at : at + _TEXT_CHARS] for at in range(0, len(text), _TEXT_CHARS)]
    sections = [{"type": "section", "text": {"type": "plain_text", "text": piece}} for piece in pieces if piece.strip()]
    return {"text": text[:_TEXT_CHARS], "blocks": [*sections, *blocks]}


def as_written(text: str, blocks: Sequence[Block] = ()) -> dict[str, Any]:
    """As `said`, for a human's words: nothing in them is Markdown or calls anybody, and an address is a link."""
    elements: list[Block] = []
    at = 0
    for found in _LINK.finditer(text):
        address = found[0].rstrip(_TRAILING)
        elements += _letters(text[at : found.start()])
        elements.append({"type": "link", "url": address})
        at = found.start() + len(address)
    elements += _letters(text[at:])
    section = {"type": "rich_text_section", "elements": elements}
    words = [{"type": "rich_text", "elements": [section]}] if elements else []
    # `&`, `<` and `>` are all that means anything in the text for notifications.
    plain = text[:_TEXT_CHARS].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": plain, "blocks": [*words, *blocks]}


def pictured(part: Part, file_id: str, *, by_human: bool = False) -> dict[str, Any]:
    """Arguments of a message that shows an uploaded picture under its caption."""
    picture = {"type": "image", "slack_file": {"id": file_id}, "alt_text": part.text[:2000] or part.picture_name}
    if by_human:
        shown = as_written(part.text, [picture])
        return {**shown, "text": shown["text"] or part.picture_name}
    caption = without_links(part.text) or part.picture_name
    return said(caption, [picture, *buttons_of(part.buttons)])


def answer_metadata(turn_id: str, position: int) -> dict[str, Any]:
    """What tells a message of an answer."""
    return {"event_type": ANSWER_EVENT, "event_payload": {"turn": turn_id, "position": position}}


def notice_metadata() -> dict[str, Any]:
    """What tells a message of ours that is no answer."""
    return {"event_type": NOTICE_EVENT, "event_payload": {}}


def _letters(text: str) -> list[Block]:
    return [{"type": "text", "text": text}] if text else []


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text[:_LABEL_CHARS], "emoji": True}
