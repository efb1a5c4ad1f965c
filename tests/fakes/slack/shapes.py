"""Checks that all of Block Kit shares."""

from collections.abc import Sequence
from typing import Any

from tests.fakes.slack.refusal import invalid
from tests.fakes.slack.state import Json


def check_keys(part: Any, required: Sequence[str], optional: Sequence[str], at: str) -> None:
    """An object with all of `required` and nothing beyond both.

    Raises:
        Refusal: invalid_blocks.
    """
    if not isinstance(part, dict):
        raise invalid("invalid_blocks", at, "must be an object")
    for name in required:
        if part.get(name) is None:
            raise invalid("invalid_blocks", at, f"missing required field: {name}")
    for name in part:
        if name not in required and name not in optional:
            raise invalid("invalid_blocks", at, f"additional property not allowed: {name}")


def check_list(part: Any, at: str, least: int, most: int) -> None:
    """Raises:
    Refusal: invalid_blocks, when `part` is no list of `least` to `most` items.
    """
    if not isinstance(part, list) or not least <= len(part) <= most:
        raise invalid("invalid_blocks", at, f"must be an array of {least} to {most} items")


def check_words(part: Json, name: str, at: str, most: int) -> None:
    """The optional plain string `name` of `part`.

    Raises:
        Refusal: invalid_blocks.
    """
    value = part.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > most):
        raise invalid("invalid_blocks", f"{at}/{name}", f"must be text of at most {most} characters")


def check_text(part: Any, at: str, most: int, *, plain: bool = False) -> None:
    """A text object of 1 to `most` characters.

    Raises:
        Refusal: invalid_blocks.
    """
    check_keys(part, ("type", "text"), ("emoji", "verbatim"), at)
    if part["type"] not in ("plain_text", "mrkdwn") or (plain and part["type"] != "plain_text"):
        raise invalid("invalid_blocks", f"{at}/type", f"unsupported type: {part['type']}")
    if ("verbatim" if part["type"] == "plain_text" else "emoji") in part:
        raise invalid("invalid_blocks", at, "additional property not allowed")
    if not isinstance(part["text"], str) or not 0 < len(part["text"]) <= most:
        raise invalid("invalid_blocks", f"{at}/text", f"must be text of 1 to {most} characters")
