"""What the owner of a business account decides about an answer, and what he is told of it."""

from enum import Enum, auto

from bots.chat.texts import Texts


class Decision(Enum):
    """What became of an owner's press or words."""

    SENT = auto()
    DISCARDED = auto()
    # The owner's own words are awaited.
    ASKED = auto()
    TOO_LATE = auto()
    NOT_ALLOWED = auto()
    NOT_YOURS = auto()
    GONE = auto()


def told(decision: Decision, texts: Texts) -> str:
    """What the owner is told."""
    match decision:
        case Decision.SENT:
            return texts("It is sent.")
        case Decision.DISCARDED:
            return texts("Nothing is sent.")
        case Decision.ASKED:
            return texts("Reply to this message with the text that shall be sent instead.")
        case Decision.TOO_LATE:
            return texts("This was decided already, or has expired.")
        case Decision.NOT_ALLOWED:
            return texts(
                "I may not answer in your name any more. Allow it in Telegram: Settings, Telegram Business, Chatbots."
            )
        case Decision.NOT_YOURS:
            return texts("This button is for somebody else.")
    return texts("This question is not there any more.")
