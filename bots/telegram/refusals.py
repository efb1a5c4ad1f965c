"""Telegram's errors in our words: again later, never, or not with this message."""

from datetime import timedelta

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bots.chat.platform import PostGone, SendFailed, SendRefused

FAILURES = (TelegramError, TimeoutError, OSError)

# Telegram describes in words what went wrong; these are the beginnings of such descriptions, in lower case.
_GONE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "message to be edited not found",
    "there is no text in the message to edit",
    "there is no caption in the message to edit",
)
_NEVER = (
    "bot_access_forbidden",
    "business_connection_invalid",
    "business connection not found",
    "business_peer_invalid",
    "business_peer_usage_missing",
    "chat not found",
    "chat_write_forbidden",
    "chat_restricted",
    "chat_send_plain_forbidden",
    "group chat was deactivated",
    "have no rights to send a message",
    "need administrator rights in the channel chat",
    "not enough rights to send",
    "peer_id_invalid",
    "topic_closed",
    "topic_deleted",
    "message thread not found",
    "user is deactivated",
    "user_is_blocked",
)
_SAME = "message is not modified"
_PARSE = (
    "can't parse entities",
    "can't parse inlinekeyboardbutton",
    "can't find end of",
    "can't parse",
    "entity_bounds_invalid",
    "unsupported start tag",
    "rich_message",
)


def error_code(error: BaseException) -> str:
    """What went wrong, in a word for logs; Telegram's descriptions are sentences without secrets."""
    if isinstance(error, (BadRequest, Forbidden, Conflict, ChatMigrated)):
        return f"{type(error).__name__}: {error}"[:200]
    # Others may quote an address, which holds the token.
    return type(error).__name__


def is_same(error: BaseException) -> bool:
    """An edit changed nothing: the message shows it already."""
    return isinstance(error, BadRequest) and _SAME in str(error).lower()


def is_parse_error(error: BaseException) -> bool:
    """Telegram did not understand the formatting, so that a plainer one is worth a try."""
    return isinstance(error, BadRequest) and any(word in str(error).lower() for word in _PARSE)


def is_migration(error: BaseException) -> int | None:
    """The id that a group has now that it became a supergroup; None: it is another error."""
    return error.new_chat_id if isinstance(error, ChatMigrated) else None


def as_failure(error: BaseException) -> SendFailed:
    """What the deliverer is told."""
    code = error_code(error)
    if isinstance(error, RetryAfter):
        return SendFailed(code, retry_after_s=retry_after_s(error))
    if isinstance(error, Forbidden):
        return SendRefused(code)
    if isinstance(error, ChatMigrated):
        # What stands in the old group stays as it is; the supergroup gets a new message.
        return PostGone(code)
    if isinstance(error, BadRequest):
        said = str(error).lower()
        if any(word in said for word in _GONE):
            return PostGone(code)
        if any(word in said for word in _NEVER):
            return SendRefused(code)
    return SendFailed(code)


def retry_after_s(error: RetryAfter) -> float:
    """How long Telegram wants to be left alone, in seconds."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def is_ambiguous(error: BaseException) -> bool:
    """Nobody knows whether Telegram did what was asked: the connection ended before its answer."""
    return isinstance(error, (TimedOut, NetworkError)) and not isinstance(error, BadRequest)


def is_hopeless(error: BaseException) -> bool:
    """The token is wrong or was taken back: there is no use in trying again before somebody acts."""
    return isinstance(error, InvalidToken)
