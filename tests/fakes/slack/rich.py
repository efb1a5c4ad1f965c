"""Rich text, the block that Slack makes of what people type and bots stream."""

import re

from tests.fakes.slack.state import Json

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
