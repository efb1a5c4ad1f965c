"""Every error that Glimt raises on purpose.

GlimtError
├── ConfigurationError          a setting is missing or wrong; the operator must act
├── RequestError                what was asked cannot be done as it stands; the user can change it
│   ├── NotFound
│   │   ├── ModelNotFound       a model that is not served here
│   │   └── QuestionErased      an event came again whose question was erased meanwhile
│   ├── NotAllowed
│   │   └── NotSignedIn         no key, or a wrong or revoked one
│   ├── WrongParameter          one named field of a request is wrong
│   ├── RequestTooLarge         more bytes than any request may have
│   ├── RequestTooSlow          its bytes stopped coming
│   ├── TooManyTries            wrong keys, one after another
│   ├── EventKeyReused          one Idempotency-Key for two different requests
│   ├── QuestionTooLong / EmptyQuestion / TooManyPictures
│   ├── Busy                    too much is waiting; ask again later
│   └── PictureError            one picture cannot be used
│       ├── PictureTooLarge / PictureTooManyPixels / TooManyPages
│       ├── PictureFormatNotAllowed
│       ├── PictureLocked       a PDF that asks for a password
│       └── PictureBroken
├── PictureReaderUnavailable    retryable: no process could be started to decode pictures
├── StoreError
│   └── LostLease               somebody else owns this turn now; drop the work silently
├── QueueUnavailable            Redis cannot be reached; SQL keeps the work
└── InferenceError
    ├── ModelLoadError
    │   └── HubUnreachable      nothing of the model is here, and the hub does not answer
    ├── PromptTooLong
    │   └── PromptMiscounted    retryable: tokens were estimated too low; counted anew, less is put in
    ├── NoEyes                  the model reads text only, and no other one looks at pictures for it
    ├── LookFailed              retryable: none of the pictures could be looked at
    ├── DeadlineExceeded        the answer took longer than its time limit
    ├── OutOfMemory             retryable
    ├── EngineStopped           retryable: the engine went away under the request
    └── BackendUnavailable      retryable
"""


class GlimtError(Exception):
    """Base of the tree.

    `code` is stable and machine-readable. `user_message` says what happened and what to do next, with nothing
    internal in it; it is safe to show in a chat. `retryable` tells the worker whether a later attempt can succeed.
    """

    code = "internal"
    retryable = False
    user_message = "Something went wrong on our side. Please try again; if it keeps happening, tell your admin."

    def __init__(self, detail: str = "", *, user_message: str | None = None) -> None:
        super().__init__(detail or user_message or self.user_message)
        if user_message is not None:
            self.user_message = user_message


class ConfigurationError(GlimtError):
    """A setting is missing, unknown or contradictory."""

    code = "configuration"
    user_message = "Glimt is not set up completely. Please tell your admin."


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


class Busy(RequestError):
    """The bounded queue is full, for this person or for everybody."""

    code = "busy"
    retryable = True
    user_message = "Too many questions are waiting right now. Please ask again in a moment."


class PictureError(RequestError):
    """One picture cannot be used. `user_message` names no file; the caller adds the name it knows."""

    code = "picture_unreadable"
    user_message = "This picture could not be read. Please send it as JPEG or PNG."


class PictureTooLarge(PictureError):
    """More bytes than the setting allows."""

    code = "picture_too_large"
    user_message = "This file is too large. Please send a smaller version."


class PictureTooManyPixels(PictureError):
    """More pixels than the setting allows; decided from the header, before decoding."""

    code = "picture_too_many_pixels"
    user_message = "This picture has too many pixels. Please send a smaller version."


class TooManyPages(PictureError):
    """A PDF or TIFF with more pages than the setting allows."""

    code = "too_many_pages"
    user_message = "This file has too many pages. Please send only the pages that matter."


class PictureFormatNotAllowed(PictureError):
    """The bytes are of no format on the allow-list, whatever the name says."""

    code = "picture_format"
    user_message = (
        "This kind of file is not supported. Send JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF or PDF instead."
    )


class PictureLocked(PictureError):
    """A PDF that cannot be opened without its password."""

    code = "picture_locked"
    user_message = "This PDF is protected with a password. Please send it without one."


class PictureBroken(PictureError):
    """The format is known but the bytes do not decode."""

    code = "picture_broken"
    user_message = "This file is damaged or incomplete. Please send it again."


class PictureReaderUnavailable(GlimtError):
    """No reader process could be started. Nothing is wrong with the picture."""

    code = "picture_reader"
    retryable = True
    user_message = "Pictures cannot be read right now. Please try again in a moment."


class StoreError(GlimtError):
    """The database refused or could not be reached."""

    code = "store"
    retryable = True


class LostLease(StoreError):
    """A guarded update found that this worker does not own the turn any more. Its work is dropped."""

    code = "lost_lease"
    retryable = False


class QueueUnavailable(GlimtError):
    """Redis cannot be reached. What was accepted stays in SQL and is sent later."""

    code = "queue_unavailable"
    retryable = True


class InferenceError(GlimtError):
    """The model could not answer."""

    code = "inference"
    user_message = "The model could not answer this question. Please try again or ask in other words."


class ModelLoadError(InferenceError):
    """The model could not be loaded; the operator must act."""

    code = "model_load"
    user_message = "The model could not be loaded. Please tell your admin."


class HubUnreachable(ModelLoadError):
    """The model's files are not here and the hub cannot be reached to fetch them."""

    code = "hub_unreachable"


class PromptTooLong(InferenceError):
    """Even the question alone does not fit the model's context."""

    code = "prompt_too_long"
    user_message = "The question and its pictures are too long for the model. Send fewer or smaller pictures."


class NoEyes(InferenceError):
    """There are pictures, and nobody who sees them; the operator can give the model eyes (`GLIMT_EYES`)."""

    code = "no_eyes"
    user_message = "This model cannot see pictures. Ask without one, or tell your admin to give it eyes (GLIMT_EYES)."


class LookFailed(InferenceError):
    """The eyes saw none of the pictures of a question."""

    code = "look_failed"
    retryable = True
    user_message = "The pictures could not be looked at. Please try again, or send them in another format or smaller."


class PromptMiscounted(PromptTooLong):
    """The prompt had more tokens than the engine estimated; it counts higher from now on."""

    retryable = True


class DeadlineExceeded(InferenceError):
    """The answer was not complete when its time was up."""

    code = "deadline_exceeded"
    user_message = "The answer took too long. Please ask again, or ask for something shorter."


class OutOfMemory(InferenceError):
    """The device ran out of memory for this request."""

    code = "out_of_memory"
    retryable = True
    user_message = "The picture or the conversation is too large right now. Please try again, or send a smaller one."


class EngineStopped(InferenceError):
    """The engine was stopped while the request was in flight."""

    code = "engine_stopped"
    retryable = True


class BackendUnavailable(InferenceError):
    """A remote inference backend cannot be reached or is overloaded."""

    code = "backend_unavailable"
    retryable = True
    user_message = "The model cannot be reached right now. If this stays so, please tell your admin."
