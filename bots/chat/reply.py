"""Who says something to Glimt, where, and what it says back: without a word of any platform's."""

from dataclasses import dataclass

from bots.chat.actions import Button
from bots.chat.texts import Texts
from core.values import Platform


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody at a place. All names are the platform's own.

    `conversation` is the thread that he is in, as in `InboundQuestion.conversation`; None where a place has no threads,
    or where he is in none. `threads`: here every thread is a conversation of its own, so `new` means another thread.
    `locale` is what the platform says of his language. `steers`: he may decide what holds for all who are at the place.
    """

    platform: Platform
    workspace: str
    person: str
    place: str
    conversation: str | None = None
    threads: bool = False
    person_name: str = ""
    locale: str = ""
    steers: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say. `private`: only the caller should see it, where the platform can do that.

    `turn_id`: this turn is about to be answered (again); hand it to `Deliverer.begin`.
    """

    text: str
    buttons: tuple[Button, ...] = ()
    private: bool = True
    turn_id: str | None = None


def not_for_everybody(texts: Texts) -> Reply:
    """The caller does not steer this place."""
    return Reply(
        texts(
            "Here only admins of the workspace decide this, because it holds for everybody. Please ask one of them. In "
            "a direct conversation with me you decide yourself."
        )
    )
