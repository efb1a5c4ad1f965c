"""What an admin wants to do in the review console cannot be done as it stands."""

from core.errors.requests import RequestError


class NotTaken(RequestError):
    """An admin wants to say something in a conversation that he has not taken over (any more)."""

    code = "not_taken"
    user_message = (
        "You have not taken over this conversation (any more), so nothing was sent. Go back to it and take over first."
    )


class TakenByAnother(RequestError):
    """Another admin was faster."""

    code = "taken_by_another"
    user_message = (
        "Somebody else has taken over, or handed back, meanwhile. Reload the conversation to see who answers there now."
    )
