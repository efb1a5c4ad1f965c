"""Buttons: what a press comes back as, at most 64 bytes, which is the least that a platform lets a button carry."""

import re
from dataclasses import dataclass

VALUE_BYTES = 64
# The names of all actions.
THUMBS_UP, THUMBS_DOWN, WHY = "up", "down", "why"
STOP, AGAIN, RELEASE = "stop", "again", "release"
FORGET, MODE, LANGUAGE = "forget", "mode", "lang"
_WORD = re.compile(r"[a-z_]{1,16}")
_ARGUMENT = re.compile(r"[A-Za-z0-9_-]{0,40}")


@dataclass(frozen=True, slots=True)
class Action:
    """What a button does: `name` to `argument` (a turn's id, a persona …); `choice` is one of several answers."""

    name: str
    argument: str = ""
    choice: str = ""

    @property
    def value(self) -> str:
        """As a button carries it."""
        return f"{self.name}:{self.argument}:{self.choice}".rstrip(":")


@dataclass(frozen=True, slots=True)
class Button:
    """One button. `label` is in the person's language; `danger`: it destroys something."""

    label: str
    value: str
    danger: bool = False


def read_action(value: str) -> Action | None:
    """The action of a button's value; None: it is none of ours."""
    name, _, rest = value.partition(":")
    argument, _, choice = rest.partition(":")
    if not (_WORD.fullmatch(name) and _ARGUMENT.fullmatch(argument) and _ARGUMENT.fullmatch(choice)):
        return None
    return Action(name, argument, choice)
