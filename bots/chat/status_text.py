"""What stands there while there is no text of an answer."""

from bots.chat.follow import Again, InQueue, Looking, Progress
from bots.chat.texts import Texts


def status_text(news: Progress, texts: Texts) -> str:
    """The words for it; empty: there is text, or nothing to say."""
    match news:
        case InQueue(0):
            return texts("Your question is next.")
        case InQueue(before):
            return texts.plural("{n} question is before yours.", "{n} questions are before yours.", before)
        case Again(message):
            return texts("{error} Trying again …", error=texts.error(message))
        case Looking():
            return texts("Looking …")
    return ""
