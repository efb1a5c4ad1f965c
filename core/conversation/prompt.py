"""From the rows of a conversation to the messages of a prompt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.conversation import digest
from core.conversation.budget import PastExchange, fit
from core.conversation.observed import observations_of
from core.conversation.wordless import WORDLESS
from core.errors import NotFound, PictureError
from core.inference.port import Message, Picture
from core.media.blobs import BlobStore
from core.store.models import Turn
from core.values import AttachmentState, TurnState

_ANSWERED = (TurnState.ANSWERED, TurnState.DELIVERED)
# More history than any context holds is not even read.
HISTORY_TURNS = 200


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the engine gets, and what to store beside the answer."""

    messages: tuple[Message, ...]
    left_out: list[dict[str, Any]]
    # Keys of the earlier pictures that the question is about.
    about: tuple[str, ...]
    # Digest of the conversation before this turn; `core.conversation.digest.extend` adds the answer.
    history_digest: str


def build_prompt(
    turn: Turn,
    past: Sequence[Turn],
    *,
    system: str,
    conversation_system: str,
    budget: int,
    count: Callable[[Message], int],
    blobs: BlobStore,
) -> Prompt:
    """Fit `turn` and the turns before it into `budget` tokens and read the pictures that are shown.

    `system` is what the model is told; `conversation_system` is what the client gave and what the digest starts from.

    Raises:
        PromptTooLong: not even the question fits.
        PictureError: there are no words, and none of the files that came instead of them can be used.
        NotFound: a picture's bytes are gone from the blob store.
    """
    if not turn.question.strip() and not pictures_of(turn):
        raise PictureError(user_message="None of the files could be read. Please send a picture, or ask in words.")
    exchanges = exchanges_of(past)
    fitted = fit(system, exchanges, _question(turn), pictures_of(turn), budget, count)
    messages = tuple(_with_bytes(message, blobs) for message in fitted.messages)
    return Prompt(messages, fitted.left_out, fitted.about, _digest(past, conversation_system))


def pictures_of(turn: Turn) -> tuple[Picture, ...]:
    """The turn's readable pictures, without their bytes."""
    return tuple(
        Picture(a.blob_key, b"", a.width, a.height) for a in turn.attachments if a.state == AttachmentState.STORED
    )


def _question(turn: Turn) -> str:
    return turn.question.strip() or WORDLESS


def exchanges_of(past: Sequence[Turn]) -> list[PastExchange]:
    """What was said, as questions and answers in turn, which chat templates want.

    What a human left unanswered belongs to the next question, what he said without being asked to the last answer.
    """
    exchanges: list[PastExchange] = []
    left: list[Turn] = []
    for turn in past:
        if turn.state == TurnState.HANDED_OVER:
            left.append(turn)
        elif turn.answered_by and not _is_asked(turn) and not left and exchanges:
            before = exchanges[-1]
            exchanges[-1] = replace(before, answer="\n\n".join(filter(None, (before.answer, turn.answer.strip()))))
        elif (exchange := _exchange(turn, left)) is not None:
            exchanges.append(exchange)
            left = []
    if left and (exchange := _exchange(left[-1], left[:-1])) is not None:
        exchanges.append(exchange)
    return exchanges


def _exchange(turn: Turn, before: Sequence[Turn] = ()) -> PastExchange | None:
    """A turn with the questions `before` it that got no answer of their own."""
    pictures = tuple(picture for one in (*before, turn) for picture in pictures_of(one))
    said = turn.answer.strip() if turn.state in (*_ANSWERED, TurnState.CANCELLED) else ""
    asked = [one.question.strip() for one in (*before, turn) if one.question.strip()]
    if not said and not pictures:
        return None
    # What a human said without being asked may be all that is left of what was before.
    question = "\n".join(asked) or ("…" if turn.answered_by and not pictures else _question(turn))
    return PastExchange(turn.seq, question, said, pictures, observations_of(turn))


def _is_asked(turn: Turn) -> bool:
    return bool(turn.question.strip() or turn.attachments)


def _with_bytes(message: Message, blobs: BlobStore) -> Message:
    if not message.pictures:
        return message
    try:
        return replace(message, pictures=tuple(replace(p, data=blobs.get(p.key)) for p in message.pictures))
    except NotFound as error:
        gone = "A picture of this conversation is not kept any more. Please start a new one and send it again."
        raise NotFound(str(error), user_message=gone) from error


def _digest(past: Sequence[Turn], conversation_system: str) -> str:
    answered = [turn for turn in past if turn.state in _ANSWERED]
    if answered and answered[-1].history_hash:
        return answered[-1].history_hash
    so_far = digest.root(conversation_system)
    for turn in answered:
        so_far = digest.extend(so_far, turn.question, [p.key for p in pictures_of(turn)], turn.answer)
    return so_far
