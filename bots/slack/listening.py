"""Which messages are questions to us."""

from bots.slack.message import Message
from bots.slack.words import addressee, mentions
from core.settings import Settings


def may_be_for_us(message: Message, bot_user: str) -> bool | None:
    """Whether the message is a question to us; None: it is if we take part in its thread."""
    if message.direct or message.mention_event or bot_user in mentions(message.text):
        return True
    if not message.root:
        return False
    # Somebody in the thread turns to somebody else.
    return None if addressee(message.text) in ("", bot_user) else False


def is_served(settings: Settings, team: str, channel: str) -> bool:
    """Whether the operator lets us answer there. Direct messages are no channel."""
    if settings.slack_workspaces and team not in settings.slack_workspaces:
        return False
    return not settings.slack_channels or channel.startswith("D") or channel in settings.slack_channels
