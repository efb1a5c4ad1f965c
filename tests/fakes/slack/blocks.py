"""Block Kit as Slack checks it: every block, element and text, with the limits of docs.slack.dev/reference/block-kit.

`msg_blocks_too_long` for all of a message together is documented nowhere; the figure is the one that users measured
(slackapi/bolt-js#2509).
"""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.slack.elements import check_element
from tests.fakes.slack.refusal import Refusal, invalid
from tests.fakes.slack.rich import check_rich_text
from tests.fakes.slack.shapes import check_keys, check_list, check_text
from tests.fakes.slack.state import Json

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MARKDOWN = 12_000
ALL_TEXT = 13_200

_ACTIONS = (
    *("button", "overflow", "checkboxes", "radio_buttons", "datepicker", "timepicker", "datetimepicker"),
    *("static_select", "multi_static_select", "external_select", "users_select", "conversations_select"),
    *("channels_select", "workflow_button"),
)
_ACCESSORIES = (*_ACTIONS, "image")
_INPUTS = (
    *("plain_text_input", "email_text_input", "number_input", "url_text_input", "file_input"),
    *("static_select", "multi_static_select", "users_select", "conversations_select"),
    *("checkboxes", "radio_buttons", "datepicker"),
)


def check_blocks(
    blocks: Any, *, file_exists: Callable[[str], bool], where: str = "/blocks", view: bool = False
) -> None:
    """Of a message (`home` False) or a view.

    Raises:
        Refusal: invalid_blocks, invalid_blocks_format, msg_blocks_too_long.
    """
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise invalid("invalid_blocks_format", where, "must be an array of blocks")
    limit = VIEW_BLOCKS if view else MESSAGE_BLOCKS
    if len(blocks) > limit:
        raise invalid("invalid_blocks", where, f"no more than {limit} items allowed")
    names: set[str] = set()
    for index, block in enumerate(blocks):
        at = f"{where}/{index}"
        name = block.get("block_id")
        if name is not None:
            check_text_id(name, f"{at}/block_id")
            if name in names:
                raise invalid("invalid_blocks", f"{at}/block_id", f"block_id already exists: {name}")
            names.add(name)
        _check_block(block, at, file_exists, view=view)
    if not view:
        markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
        if markdown > MARKDOWN or _text_size(blocks) > ALL_TEXT:
            raise Refusal("msg_blocks_too_long", fault=f"{_text_size(blocks)} characters of blocks in one message")


def check_text_id(name: Any, at: str) -> None:
    """A block_id, action_id or callback_id."""
    if not isinstance(name, str) or not name or len(name) > 255:
        raise invalid("invalid_blocks", at, "must be text of 1 to 255 characters")


def _check_block(block: Json, at: str, file_exists: Callable[[str], bool], *, view: bool) -> None:
    kind = block.get("type")
    fields: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "section": ((), ("text", "fields", "accessory", "expand")),
        "header": (("text",), ()),
        "divider": ((), ()),
        "context": (("elements",), ()),
        "actions": (("elements",), ()),
        "context_actions": (("elements",), ()),
        "image": (("alt_text",), ("image_url", "slack_file", "title")),
        "markdown": (("text",), ()),
        "rich_text": (("elements",), ()),
        "input": (("label", "element"), ("dispatch_action", "hint", "optional")),
    }
    if kind not in fields or (kind == "input" and not view) or (kind == "markdown" and view):
        raise invalid("invalid_blocks", f"{at}/type", f"unsupported type: {kind}")
    required, optional = fields[kind]
    check_keys(block, required, ("type", "block_id", *optional), at)
    if kind == "section":
        _check_section(block, at)
    elif kind == "header":
        check_text(block["text"], f"{at}/text", 150, plain=True)
    elif kind == "markdown":
        if not isinstance(block["text"], str) or not 0 < len(block["text"]) <= MARKDOWN:
            raise invalid("invalid_blocks", f"{at}/text", f"must be text of 1 to {MARKDOWN} characters")
    elif kind == "image":
        _check_image(block, at, file_exists)
    elif kind == "context":
        check_list(block["elements"], f"{at}/elements", 1, 10)
        for index, element in enumerate(block["elements"]):
            here = f"{at}/elements/{index}"
            if isinstance(element, dict) and element.get("type") == "image":
                check_keys(element, ("alt_text",), ("type", "image_url", "slack_file"), here)
            else:
                check_text(element, here, 3_000)
    elif kind == "actions":
        _check_elements(block, at, 25, _ACTIONS)
    elif kind == "context_actions":
        _check_elements(block, at, 5, ("feedback_buttons", "icon_button"))
    elif kind == "input":
        check_text(block["label"], f"{at}/label", 2_000, plain=True)
        if block.get("hint") is not None:
            check_text(block["hint"], f"{at}/hint", 2_000, plain=True)
        check_element(block["element"], f"{at}/element", _INPUTS)
    elif kind == "rich_text":
        check_rich_text(block, at)


def _check_section(block: Json, at: str) -> None:
    if "text" not in block and not block.get("fields"):
        raise invalid("invalid_blocks", at, "missing required field: text")
    if "text" in block:
        check_text(block["text"], f"{at}/text", 3_000)
    if "fields" in block:
        check_list(block["fields"], f"{at}/fields", 1, 10)
        for index, text in enumerate(block["fields"]):
            check_text(text, f"{at}/fields/{index}", 2_000)
    if "accessory" in block:
        check_element(block["accessory"], f"{at}/accessory", _ACCESSORIES)


def _check_image(block: Json, at: str, file_exists: Callable[[str], bool]) -> None:
    if not isinstance(block["alt_text"], str) or len(block["alt_text"]) > 2_000:
        raise invalid("invalid_blocks", f"{at}/alt_text", "must be text of at most 2000 characters")
    if ("image_url" in block) == ("slack_file" in block):
        raise invalid("invalid_blocks", at, "one of image_url and slack_file is required")
    if "title" in block:
        check_text(block["title"], f"{at}/title", 2_000, plain=True)
    if "slack_file" in block:
        file = block["slack_file"]
        if not isinstance(file, dict) or ("id" in file) == ("url" in file) or set(file) - {"id", "url"}:
            raise invalid("invalid_blocks", f"{at}/slack_file", "exactly one of id and url is required")
        if not file_exists(str(file.get("id", file.get("url")))):
            raise invalid("invalid_blocks", f"{at}/slack_file", "invalid slack file")
    elif not _public(block["image_url"]):
        raise invalid("invalid_blocks", f"{at}/image_url", "downloading image failed")


def _public(url: Any) -> bool:
    """Whether Slack's servers could fetch it: nothing of this machine or this network."""
    if not isinstance(url, str) or len(url) > 3_000:
        return False
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "." not in parts.hostname:
        return False
    try:
        return ipaddress.ip_address(parts.hostname).is_global
    except ValueError:
        return True


def _check_elements(block: Json, at: str, most: int, kinds: Sequence[str]) -> None:
    check_list(block["elements"], f"{at}/elements", 1, most)
    seen: set[str] = set()
    for index, element in enumerate(block["elements"]):
        here = f"{at}/elements/{index}"
        check_element(element, here, kinds)
        action = element.get("action_id")
        if action is not None and action in seen:
            raise invalid("invalid_blocks", f"{here}/action_id", f"action_id already exists: {action}")
        seen.add(action)


def _text_size(part: Any) -> int:
    """The characters of all texts in it."""
    if isinstance(part, dict):
        return sum(len(v) if k == "text" and isinstance(v, str) else _text_size(v) for k, v in part.items())
    return sum(_text_size(item) for item in part) if isinstance(part, list) else 0
