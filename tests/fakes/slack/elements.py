"""The interactive parts of blocks, with the limits of docs.slack.dev/reference/block-kit/block-elements."""

from collections.abc import Sequence
from typing import Any

from tests.fakes.slack.refusal import invalid
from tests.fakes.slack.shapes import check_keys, check_list, check_text, check_words
from tests.fakes.slack.state import Json

_COMMON = ("type", "action_id", "confirm", "focus_on_load")
_SELECTS = (
    *("static_select", "multi_static_select", "external_select"),
    *("users_select", "conversations_select", "channels_select"),
)


def check_element(element: Any, at: str, kinds: Sequence[str]) -> None:
    """One of `kinds`, whole and within its limits.

    Raises:
        Refusal: invalid_blocks.
    """
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in kinds:
        raise invalid("invalid_blocks", f"{at}/type", f"unsupported type: {kind}")
    action = element.get("action_id")
    if action is not None and (not isinstance(action, str) or not 0 < len(action) <= 255):
        raise invalid("invalid_blocks", f"{at}/action_id", "must be text of 1 to 255 characters")
    if "confirm" in element:
        _check_confirm(element["confirm"], f"{at}/confirm")
    if kind == "button":
        _check_button(element, at)
    elif kind == "feedback_buttons":
        _check_feedback(element, at)
    elif kind == "icon_button":
        check_keys(element, ("icon", "text"), (*_COMMON, "value", "accessibility_label", "visible_to_user_ids"), at)
        check_text(element["text"], f"{at}/text", 75, plain=True)
        check_words(element, "value", at, 2_000)
        if element["icon"] != "trash":
            raise invalid("invalid_blocks", f"{at}/icon", f"unsupported icon: {element['icon']}")
    elif kind in _SELECTS:
        _check_select(element, at)
    elif kind == "overflow":
        check_keys(element, ("options",), _COMMON, at)
        _check_options(element["options"], f"{at}/options", 5)
    elif kind in ("checkboxes", "radio_buttons"):
        check_keys(element, ("options",), (*_COMMON, "initial_options", "initial_option"), at)
        _check_options(element["options"], f"{at}/options", 10)
    elif kind == "plain_text_input":
        more = ("placeholder", "initial_value", "multiline", "min_length", "max_length", "dispatch_action_config")
        check_keys(element, (), (*_COMMON, *more), at)
        check_words(element, "initial_value", at, 3_000)
        if not 0 < element.get("max_length", 3_000) <= 3_000:
            raise invalid("invalid_blocks", f"{at}/max_length", "must be 1 to 3000")
    elif kind == "image":
        check_keys(element, ("alt_text",), ("type", "image_url", "slack_file"), at)
    if isinstance(element.get("placeholder"), dict):
        check_text(element["placeholder"], f"{at}/placeholder", 150, plain=True)


def _check_button(element: Json, at: str) -> None:
    check_keys(element, ("text",), (*_COMMON, "url", "value", "style", "accessibility_label", "agent_prompt"), at)
    check_text(element["text"], f"{at}/text", 75, plain=True)
    check_words(element, "value", at, 2_000)
    check_words(element, "url", at, 3_000)
    check_words(element, "accessibility_label", at, 75)
    check_words(element, "agent_prompt", at, 4_000)
    if element.get("style", "primary") not in ("primary", "danger"):
        raise invalid("invalid_blocks", f"{at}/style", f"unsupported style: {element['style']}")


def _check_feedback(element: Json, at: str) -> None:
    check_keys(element, ("positive_button", "negative_button"), ("type", "action_id"), at)
    for name in ("positive_button", "negative_button"):
        button, here = element[name], f"{at}/{name}"
        check_keys(button, ("text", "value"), ("accessibility_label",), here)
        check_text(button["text"], f"{here}/text", 75, plain=True)
        check_words(button, "value", here, 2_000)
        check_words(button, "accessibility_label", here, 75)


def _check_select(element: Json, at: str) -> None:
    more = ("placeholder", "options", "option_groups", "max_selected_items", "min_query_length", "filter")
    initial = tuple(name for name in element if name.startswith(("initial_", "default_to_")))
    check_keys(element, (), (*_COMMON, *more, "response_url_enabled", *initial), at)
    if element["type"] in ("static_select", "multi_static_select"):
        if ("options" in element) == ("option_groups" in element):
            raise invalid("invalid_blocks", at, "one of options and option_groups is required")
        if "options" in element:
            _check_options(element["options"], f"{at}/options", 100)
            first = element.get("initial_option")
            if first is not None and first not in element["options"]:
                raise invalid("invalid_blocks", f"{at}/initial_option", "must be one of options")


def _check_options(options: Any, at: str, most: int) -> None:
    check_list(options, at, 1, most)
    for index, option in enumerate(options):
        here = f"{at}/{index}"
        check_keys(option, ("text", "value"), ("description", "url"), here)
        check_text(option["text"], f"{here}/text", 75)
        check_words(option, "value", here, 150)
        if option.get("description") is not None:
            check_text(option["description"], f"{here}/description", 75)


def _check_confirm(part: Any, at: str) -> None:
    check_keys(part, ("title", "text", "confirm", "deny"), ("style",), at)
    check_text(part["title"], f"{at}/title", 100, plain=True)
    check_text(part["text"], f"{at}/text", 300)
    check_text(part["confirm"], f"{at}/confirm", 30, plain=True)
    check_text(part["deny"], f"{at}/deny", 30, plain=True)
