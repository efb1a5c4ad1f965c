"""Slack's errors in our words: again later, never, or not with this message."""

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bots.chat.platform import PostGone, SendFailed, SendRefused

FAILURES = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError)

# Nothing more can be said there, however often it is tried.
_NEVER = {
    "account_inactive",
    "cannot_reply_to_message",
    "channel_is_archived",
    "channel_not_found",
    "invalid_auth",
    "is_archived",
    "is_inactive",
    "missing_scope",
    "not_authed",
    "not_in_channel",
    "org_login_required",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "team_access_not_granted",
    "thread_not_found",
    "token_expired",
    "token_revoked",
    "user_not_found",
}
# The message cannot be changed; another one may be sent.
_GONE = {"message_not_found", "cant_update_message", "edit_window_closed", "message_not_owned_by_app"}
STREAM_OVER = {"message_not_in_streaming_state", "streaming_state_conflict"}
STOPPED_BY_USER = "stopped_by_user"
# This workspace, app or place has no such thing; there is no use in trying again in this process.
NOT_HERE = {
    "channel_type_not_supported",
    "feature_not_enabled",
    "method_not_supported_for_channel_type",
    "missing_recipient_team_id",
    "missing_recipient_user_id",
    "missing_scope",
    "not_agent_app",
    "not_allowed",
    "not_allowed_token_type",
    "not_authorized",
    "unknown_method",
}


def error_code(error: Exception) -> str:
    """Slack's word for what went wrong."""
    if isinstance(error, SlackApiError):
        said = error.response.get("error") if hasattr(error.response, "get") else None
        return str(said or getattr(error.response, "status_code", "") or "unknown_error")
    return type(error).__name__


def as_failure(error: Exception) -> SendFailed:
    """What the deliverer is told."""
    code = error_code(error)
    if code in _GONE:
        return PostGone(code)
    if code in _NEVER:
        return SendRefused(code)
    return SendFailed(code, retry_after_s=_retry_after(error))


def _retry_after(error: Exception) -> float:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), 0.0)
    try:
        return float(value[0] if isinstance(value, list) else value)
    except ValueError:
        return 0.0
