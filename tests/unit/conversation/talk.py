"""Short words for conversations in tests, and a counter of tokens that is easy to add up by hand."""

from hashlib import sha256

from core.conversation.budget import PastExchange
from core.inference.port import Message, Picture
from core.store.models import Attachment, Turn
from core.values import AttachmentState, TurnState

PICTURE_TOKENS = 100
MESSAGE_TOKENS = 2


def count(message: Message) -> int:
    """Two for the message, one for each word, a hundred for each picture."""
    return MESSAGE_TOKENS + len(message.text.split()) + PICTURE_TOKENS * len(message.pictures)


def picture(name: str) -> Picture:
    """A picture whose bytes are its name."""
    return Picture(sha256(name.encode()).hexdigest(), b"", 64, 48)


def said(seq: int, question: str, answer: str, *pictures: str) -> PastExchange:
    """An earlier exchange."""
    return PastExchange(seq, question, answer, tuple(picture(name) for name in pictures))


def keys(message: Message) -> list[str]:
    """Which pictures a message shows."""
    return [shown.key for shown in message.pictures]


def texts(messages: tuple[Message, ...]) -> list[tuple[str, str]]:
    """(role, text) of each message."""
    return [(message.role, message.text) for message in messages]


def turn(
    seq: int,
    question: str,
    answer: str = "",
    *pictures: str,
    state: TurnState = TurnState.DELIVERED,
    refused: int = 0,
    history_hash: str = "",
) -> Turn:
    """A row as the store loads it, with the bytes of its pictures being their names."""
    files = [
        Attachment(
            position=place,
            state=AttachmentState.STORED,
            name=name,
            blob_key=picture(name).key,
            width=64,
            height=48,
        )
        for place, name in enumerate(pictures)
    ]
    files += [
        Attachment(position=len(pictures) + n, state=AttachmentState.REFUSED, name=f"bad {n}", blob_key="")
        for n in range(refused)
    ]
    return Turn(
        id=f"turn {seq}",
        seq=seq,
        state=state,
        question=question,
        answer=answer,
        history_hash=history_hash,
        attachments=files,
    )
