"""How a turn that has ended is shown: its answer, what has to be said besides, and the buttons below."""

from dataclasses import dataclass

from bots.chat.actions import AGAIN, STOP, THUMBS_DOWN, THUMBS_UP, Action, Button
from bots.chat.texts import Texts
from core.store.models import Turn
from core.values import AttachmentState, FinishReason, TurnState


@dataclass(frozen=True, slots=True)
class Closing:
    """`text` is all there is to read, in Markdown; empty: nothing is to be said where nothing was shown yet."""

    text: str
    buttons: tuple[Button, ...] = ()


def closing(turn: Turn, texts: Texts) -> Closing:
    """What is shown of a final turn."""
    if turn.state == TurnState.HANDED_OVER:
        return Closing("")
    said = [turn.answer.strip()] if turn.answer.strip() else []
    if not said and turn.state in (TurnState.ANSWERED, TurnState.DELIVERED):
        said.append(texts("The model had nothing to say about this. Please ask in other words."))
    notices = _notices(turn, texts)
    if notices:
        said.append("\n".join(f"> {notice}" for notice in notices))
    return Closing("\n\n".join(said), _buttons(turn, texts))


def unread_files(turn: Turn) -> list[tuple[str, str]]:
    """(name, why) of the files that could not be used; why is an error's `user_message`."""
    return [(a.name, a.error_message) for a in turn.attachments if a.state == AttachmentState.REFUSED]


def stop_button(turn_id: str, texts: Texts) -> Button:
    """Ends an answer that is being written."""
    return Button(texts("Stop"), Action(STOP, turn_id).value)


def thumbs(turn_id: str) -> tuple[Button, ...]:
    """What everybody may press below an answer."""
    return Button("👍", Action(THUMBS_UP, turn_id).value), Button("👎", Action(THUMBS_DOWN, turn_id).value)


def _notices(turn: Turn, texts: Texts) -> list[str]:
    notices = []
    for name, why in unread_files(turn):
        # Some names are words of ours, for files that nobody told the names of.
        shown = texts(name) or texts("a file")
        notices.append(texts("{name} could not be used: {why}", name=shown, why=texts.error(why)))
    if turn.state == TurnState.FAILED:
        notices.append(texts.error(turn.error_message))
    elif turn.state == TurnState.CANCELLED:
        notices.append(texts("Stopped."))
    elif turn.finish_reason == FinishReason.LENGTH:
        notices.append(texts("The answer was cut off at its greatest length. Ask me to go on."))
    return notices


def _buttons(turn: Turn, texts: Texts) -> tuple[Button, ...]:
    if turn.state in (TurnState.FAILED, TurnState.CANCELLED):
        return (Button(texts("Try again"), Action(AGAIN, turn.id).value),)
    return thumbs(turn.id)
