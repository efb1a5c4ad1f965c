"""Questions whose answers are looked at: asked by somebody new in a chat of its own, and what stands there."""

from typing import Any

from tests.fakes.telegram import Chat, Message, Said, Seen, User
from tests.integration.telegram.stand import Stand
from tests.integration.web.site import picture
from tests.processes import PATIENCE_S

FIRST = "There are three boats in the harbour, and one of them is red. "
REST = "The red one is the smallest; behind it stands a lighthouse with a green roof."
WHOLE = FIRST + REST
TABLE = "# Boats\n\n| boat | colour |\n|---|---|\n| 1 | **red** |\n"


def privately(stand: Stand, question: str, name: str = "ann", **how: Any) -> tuple[User, Chat, Said]:
    """Somebody new asks in private."""
    ann = stand.telegram.user(name, **how)
    chat = stand.telegram.private(ann)
    return ann, chat, stand.telegram.photo(ann, chat, picture("red"), question)


def in_group(stand: Stand, question: str, **how: Any) -> tuple[User, Chat, Said]:
    """Somebody asks in a group of its own."""
    ann = stand.telegram.user("ann")
    chat = stand.telegram.group("harbour", ann, **how)
    return ann, chat, stand.telegram.photo(ann, chat, picture("red"), f"{stand.telegram.bot.mention} {question}")


def shown(stand: Stand, chat: Chat, text: str) -> Seen:
    """Our message, once it says this."""

    def found() -> Seen | None:
        return next((one for one in stand.telegram.answers(chat) if one.text == text), None)

    seen = stand.telegram.wait_for(found, PATIENCE_S)
    assert seen is not None
    return seen


def placeholder(stand: Stand, chat: Chat) -> Seen:
    """What stands there while there is no text."""
    return stand.telegram.wait_for(lambda: stand.telegram.answers(chat), PATIENCE_S)[0]


def once(stand: Stand, chat: Chat, text: str = WHOLE) -> Seen:
    """The one message of ours in a chat, which is whole."""
    seen = shown(stand, chat, text)
    stand.settled()
    assert [one.text for one in stand.telegram.answers(chat)] == [text]
    return seen


def state_of(stand: Stand, message: Message | Said) -> str:
    return stand.delivery(stand.turn_of(message).id).state
