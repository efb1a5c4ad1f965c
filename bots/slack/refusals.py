"""Slack's errors in our words: again later, never, or not with this message."""

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bots.chat.platform import PostGone, SendFailed, SendRefused

FAILURES = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError)

# The token is none (any more), or may not do it: another one may come, as when the app is installed again.
TOKEN_REFUSED = {
    "account_inactive",
    "invalid_auth",
    "missing_scope",
    "not_authed",
    "token_expired",
    "token_revoked",
}
# Nothing more can be said there, however often it is tried.
_NEVER = {
    "cannot_reply_to_message",
    "channel_is_archived",
    "channel_not_found",
    "is_archived",
    "is_inactive",
    "not_in_channel",
    "org_login_required",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "team_access_not_granted",
    "thread_not_found",
    "user_not_found",
}
# What is said is not taken in this form.
FORM_REFUSED = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"}
# Nothing can be posted there, not even for one person's eyes.
NOT_A_MEMBER = {"channel_not_found", "not_in_channel", "user_not_in_channel"}
# The message cannot be changed; another one may be sent.
_GONE = {"message_not_found", "cant_update_message", "edit_window_closed", "message_not_owned_by_app"}
STREAM_OVER = {"message_not_in_streaming_state", "streaming_state_conflict"}
STOPPED_BY_USER = "stopped_by_user"
# This place has no such thing, whatever others of the workspace have.
NOT_IN_THIS_PLACE = {
    "channel_type_not_supported",
    "method_not_supported_for_channel_type",
    "missing_recipient_team_id",
    "missing_recipient_user_id",
    "team_not_found",
    "user_not_found",
}
# This workspace or app has no such thing, or this place: there is no use in trying it again soon.
NOT_HERE = NOT_IN_THIS_PLACE | {
    "feature_not_enabled",
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
