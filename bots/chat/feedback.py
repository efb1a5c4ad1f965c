"""👍 and 👎 on an answer, and why."""

from collections.abc import Mapping

from bots.chat.actions import Action, Button
from bots.chat.texts import Texts, text_id

# As they are stored (`feedback.reason`), and what the buttons say.
REASONS: Mapping[str, str] = {
    "wrong": text_id("Not correct"),
    "overlooked": text_id("Something overlooked"),
    "unclear": text_id("Hard to understand"),
    "long": text_id("Too long"),
    "other": text_id("Something else"),
}
REASON = "why"


def reason_buttons(turn_id: str, texts: Texts) -> tuple[Button, ...]:
    """What may be pressed after 👎."""
    return tuple(Button(texts(label), Action(REASON, turn_id, key).value) for key, label in REASONS.items())
