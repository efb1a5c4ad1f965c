"""A turn that ended without an answer, as an error for its client."""

from core.errors import GlimtError, PromptTooLong, RequestError
from core.store.models import Turn
from core.values import TurnState


class ContextTooLong(RequestError):
    """The prompt does not fit; the code is the one that OpenAI's clients know."""

    code = "context_length_exceeded"


class AnswerFailed(GlimtError):
    """The worker gave up on the turn, after all the attempts that it makes."""


class AnswerChanged(GlimtError):
    """A second attempt said something else than the first, of which the client has words already."""

    code = "answer_changed"
    user_message = "The answer had to be begun again and came out differently. Please ask again."


def failure_of(turn: Turn) -> GlimtError | None:
    """The error that a final turn ended with; None if there is an answer, complete or stopped."""
    if turn.state == TurnState.HANDED_OVER:
        return AnswerFailed(user_message="A person has taken over this conversation.")
    if turn.state != TurnState.FAILED:
        return None
    message = turn.error_message or None
    if turn.error_code == PromptTooLong.code:
        return ContextTooLong(user_message=message)
    error = AnswerFailed(user_message=message)
    error.code = turn.error_code or error.code
    return error
