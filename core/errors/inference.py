"""The model could not answer."""

from core.errors.base import GlimtError


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


class ModelNotRunning(InferenceError):
    """The mode of the place asks for a model, and for no other, and no worker runs it."""

    code = "model_not_running"
    retryable = True
    user_message = (
        "The model that the mode here asks for is not running. Please ask again later, choose another mode, or tell "
        "your admin."
    )


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


class ContentRefused(InferenceError):
    """The model's provider does not allow the question or the answer."""

    code = "content_refused"
    user_message = "The model's provider does not allow this question or answer."
