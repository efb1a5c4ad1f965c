"""What a policy is for."""

import re
from enum import StrEnum

_TOPIC = re.compile(r"(-?\d+):\d+")


class Level(StrEnum):
    """From the most general to the most particular; the particular counts before the general."""

    INSTALLATION = "installation"
    WORKSPACE = "workspace"
    PLACE = "place"


def place_around(place: str) -> str:
    """The place that another one is a part of: the group of a Telegram topic. Empty: none. Names are the platform's."""
    found = _TOPIC.fullmatch(place)
    return found[1] if found else ""
