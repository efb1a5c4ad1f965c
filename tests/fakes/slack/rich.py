"""Rich text, the block that Slack makes of what people type and bots stream."""

import re
from urllib.parse import urlsplit

from tests.fakes.slack.refusal import invalid
from tests.fakes.slack.shapes import check_keys, check_list
from tests.fakes.slack.state import Json

# docs.slack.dev/reference/block-kit/blocks/rich-text-block: what an element must and may have.
_SECTIONS = ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
_ELEMENTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "text": (("text",), ("style",)),
    "link": (("url",), ("text", "unsafe", "style")),
    "emoji": (("name",), ("unicode", "style")),
    "user": (("user_id",), ("style",)),
    "channel": (("channel_id",), ("style",)),
    "usergroup": (("usergroup_id",), ("style",)),
    "broadcast": (("range",), ("style",)),
    "date": (("timestamp", "format"), ("url", "fallback", "style")),
    "color": (("value",), ()),
}
_MENTION = re.compile(r"(<@\w+>)")


def rich_text(text: str, block_id: str) -> list[Json]:
    """The blocks that Slack's own editor makes of what somebody types."""
    elements: list[Json] = []
    for part in _MENTION.split(text):
        if part.startswith("<@"):
            elements.append({"type": "user", "user_id": part[2:-1]})
        elif part:
            elements.append({"type": "text", "text": part})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": block_id, "elements": [section]}] if elements else []


def check_rich_text(block: Json, at: str) -> None:
    """A `rich_text` block that an app sends.

    Raises:
        Refusal: invalid_blocks.
    """
    check_list(block["elements"], f"{at}/elements", 1, 1_000)
    for number, section in enumerate(block["elements"]):
        here = f"{at}/elements/{number}"
        if not isinstance(section, dict) or section.get("type") not in _SECTIONS:
            raise invalid("invalid_blocks", f"{here}/type", "unsupported type")
        check_list(section.get("elements"), f"{here}/elements", 1, 1_000)
        for index, element in enumerate(section["elements"]):
            if section["type"] != "rich_text_list":
                _check_element(element, f"{here}/elements/{index}")


def _check_element(element: Json, at: str) -> None:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in _ELEMENTS:
        raise invalid("invalid_blocks", f"{at}/type", f"unsupported type: {kind}")
    required, optional = _ELEMENTS[kind]
    check_keys(element, required, ("type", *optional), at)
    if kind == "text" and not (isinstance(element["text"], str) and element["text"]):
        raise invalid("invalid_blocks", f"{at}/text", "must be text of at least 1 character")
    if kind == "link" and urlsplit(str(element["url"])).scheme not in ("http", "https", "mailto", "tel"):
        raise invalid("invalid_blocks", f"{at}/url", "must be a valid URL")
