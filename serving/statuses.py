"""HTTP statuses of our errors."""

from core import errors
from core.errors import GlimtError

_STATUS: dict[type[GlimtError], int] = {
    errors.NotFound: 404,
    errors.NotSignedIn: 401,
    errors.NotAllowed: 403,
    errors.RequestTooLarge: 413,
    errors.RequestTooSlow: 408,
    errors.TooManyTries: 429,
    errors.Busy: 429,
    errors.QuotaReached: 429,
    errors.NotTaken: 409,
    errors.TakenByAnother: 409,
    errors.EmptyQuestion: 422,
    errors.QuestionTooLong: 422,
    errors.TooManyPictures: 422,
    errors.PictureError: 422,
    errors.RequestError: 400,
    errors.PromptTooLong: 422,
    errors.ModelNotRunning: 503,
    errors.PictureReaderUnavailable: 503,
    errors.StoreError: 503,
    errors.QueueUnavailable: 503,
    errors.GlimtError: 500,
}
# Seconds after which asking again makes sense.
_RETRY_AFTER = {
    errors.Busy: 3,
    errors.TooManyTries: 60,
    errors.PictureReaderUnavailable: 2,
    errors.StoreError: 2,
    errors.QueueUnavailable: 2,
}


def status_of(error: GlimtError) -> int:
    """HTTP status of the nearest ancestor that has one."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def retry_headers(error: GlimtError) -> dict[str, str]:
    """When to ask again, where that makes sense."""
    if isinstance(error, errors.QuotaReached):
        return {"retry-after": str(error.retry_after_s)}
    seconds = next((_RETRY_AFTER[kind] for kind in type(error).__mro__ if kind in _RETRY_AFTER), None)
    return {} if seconds is None else {"retry-after": str(seconds)}
