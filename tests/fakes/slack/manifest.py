"""What the app's manifest asks Slack for."""

SCOPES = (
    *("app_mentions:read", "assistant:write", "chat:write", "commands", "users:read"),
    *("channels:history", "groups:history", "im:history", "mpim:history"),
    *("channels:read", "groups:read", "im:read", "mpim:read", "im:write", "mpim:write"),
    *("files:read", "files:write", "reactions:read", "reactions:write"),
)
EVENTS = frozenset(
    {
        *("app_mention", "message.channels", "message.groups", "message.im", "message.mpim"),
        *("app_home_opened", "app_context_changed", "agent_session_stopped", "app_uninstalled", "tokens_revoked"),
    }
)
