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
_LABEL_CHARS = 75
FEEDBACK_ID = "glimt_feedback"
BUTTON_ID = "glimt_button"
# <!channel>, <@U…>, <#C…>: whoever can make us write one would call everybody.
_CALL = re.compile(r"<(?=[!@#])")
_INVISIBLE = "\u200b"


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


def pictured(part: Part, file_id: str) -> dict[str, Any]:
    """Arguments of a message that shows an uploaded picture under its caption."""
    picture = {"type": "image", "slack_file": {"id": file_id}, "alt_text": part.text[:2000] or part.picture_name}
    caption = without_links(part.text) or part.picture_name
    return said(caption, [picture, *buttons_of(part.buttons)])


def answer_metadata(turn_id: str, position: int) -> dict[str, Any]:
    """What tells a message of an answer."""
    return {"event_type": ANSWER_EVENT, "event_payload": {"turn": turn_id, "position": position}}


def notice_metadata() -> dict[str, Any]:
    """What tells a message of ours that is no answer."""
    return {"event_type": NOTICE_EVENT, "event_payload": {}}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text[:_LABEL_CHARS], "emoji": True}
