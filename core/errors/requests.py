"""What was asked cannot be done as it stands."""

from core.errors.base import GlimtError


class RequestError(GlimtError):
    """What was asked cannot be done as it stands."""

    code = "bad_request"
    user_message = "This could not be understood. Please change it and try again."


class NotFound(RequestError):
    """No such thing, or none that this person may see."""

    code = "not_found"
    user_message = "That does not exist (any more)."


class NotAllowed(RequestError):
    """The caller is not known or may not do this."""

    code = "not_allowed"
    user_message = "You are not allowed to do this. Check your key or ask your admin."


class ModelNotFound(NotFound):
    """The request names a model that is not the served one."""

    code = "model_not_found"


class QuestionErased(NotFound):
    """A platform brings an event again whose question its person had erased. There is nobody to tell."""

    code = "question_erased"
    user_message = "This question was erased."


class NotSignedIn(NotAllowed):
    """There is no key, or a wrong or revoked one, or the browser's session has ended."""

    code = "not_signed_in"
    user_message = "Please sign in with a valid key. Your admin makes one with: glimt keys create --name NAME"


class WrongParameter(RequestError):
    """One field of a request is wrong. `parameter` is its path, as in `messages[0].content`."""

    code = "invalid_value"

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(user_message=message)
        self.parameter = parameter


class RequestTooLarge(RequestError):
    """The body has more bytes than any request may have."""

    code = "request_too_large"
    user_message = "The request is too large. Send fewer or smaller pictures."


class RequestTooSlow(RequestError):
    """The rest of a body did not come."""

    code = "request_too_slow"
    user_message = "The upload stopped in the middle. Please try again."


class TooManyTries(RequestError):
    """Too many wrong keys from one address."""

    code = "too_many_tries"
    retryable = True
    user_message = "Too many wrong keys were tried from here. Please wait a minute and try again."


class EventKeyReused(RequestError):
    """An event came under the key of another one. Only programs choose keys, in the header that the message names."""

    code = "idempotency_key_reused"
    user_message = "This Idempotency-Key was used for another request. Use a new one."


class EmptyQuestion(RequestError):
    """Neither words nor a picture."""

    code = "empty_question"
    user_message = "There is no question. Write one, or add a picture."


class QuestionTooLong(RequestError):
    """More characters than the setting allows."""

    code = "question_too_long"
    user_message = "The question is too long. Please shorten it."


class TooManyPictures(RequestError):
    """More pictures in one question than the setting allows."""

    code = "too_many_pictures"
    user_message = "There are too many pictures in one question. Please send fewer."


class NotServed(NotAllowed):
    """An admin has decided who is answered, and this person is not among them."""

    code = "not_served"
    user_message = "I may not answer you here: an admin decides who is answered. Please ask yours to let you in."


class QuotaReached(RequestError):
    """An admin has set a limit, and it is reached. `retry_after_s`: seconds until something frees up."""

    code = "quota_reached"
    retryable = True
    user_message = "You have asked as much as is allowed here for now. Please ask again later."

    def __init__(self, detail: str = "", *, user_message: str | None = None, retry_after_s: int = 60) -> None:
        super().__init__(detail, user_message=user_message)
        self.retry_after_s = retry_after_s


class Busy(RequestError):
    """The bounded queue is full, for this person or for everybody."""

    code = "busy"
    retryable = True
    user_message = "Too many questions are waiting right now. Please ask again in a moment."
