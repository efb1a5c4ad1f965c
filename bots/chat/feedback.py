"""👍 and 👎 on an answer, and why."""

import asyncio
from collections.abc import Mapping

from bots.chat.actions import WHY, Action, Button
from bots.chat.reply import Reply
from bots.chat.texts import Texts, text_id
from bots.chat.whereabouts import Whereabouts, turn_here
from bots.services import Services

# As they are stored (`feedback.reason`), and what the buttons say.
REASONS: Mapping[str, str] = {
    "wrong": text_id("Not correct"),
    "overlooked": text_id("Something overlooked"),
    "unclear": text_id("Hard to understand"),
    "long": text_id("Too long"),
    "other": text_id("Something else"),
}
# In the caller's own words; more is cut off.
REASON_CHARS = 2000


async def rate(services: Services, where: Whereabouts, turn_id: str, rating: int, reason: str = "") -> Reply:
    """Note a verdict: +1, -1, or 0 to take it back. `reason` is a key of `REASONS`, or the person's own words.

    Everybody at the place may have one, not only who asked. A verdict of -1 without a reason is asked for one.

    Raises:
        NotFound: no such turn at this place (any more).
    """

    def check() -> None:
        with services.store.read() as repositories:
            turn_here(repositories, where, turn_id)

    await asyncio.to_thread(check)
    await services.rate(turn_id, where.person.id, rating, reason[:REASON_CHARS])
    texts = where.texts
    if rating < 0 and not reason:
        return Reply(texts("Thank you. What was wrong?"), reason_buttons(turn_id, texts))
    if rating == 0:
        return Reply(texts("Your rating was taken back."))
    return Reply(texts("Thank you."))


def reason_buttons(turn_id: str, texts: Texts) -> tuple[Button, ...]:
    """What may be pressed after 👎."""
    return tuple(Button(texts(label), Action(WHY, turn_id, key).value) for key, label in REASONS.items())
