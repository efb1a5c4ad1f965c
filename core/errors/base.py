"""The root of all errors, and those of the installation itself: settings, database, queue."""


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


class StoreError(GlimtError):
    """The database refused or could not be reached."""

    code = "store"
    retryable = True


class BlobDamaged(StoreError):
    """What the blob store has under a key are other bytes than were put there."""

    code = "blob_damaged"


class LostLease(StoreError):
    """A guarded update found that this worker does not own the turn any more. Its work is dropped."""

    code = "lost_lease"
    retryable = False


class QueueUnavailable(GlimtError):
    """Redis cannot be reached. What was accepted stays in SQL and is sent later."""

    code = "queue_unavailable"
    retryable = True
