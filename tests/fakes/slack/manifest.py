"""What the app's manifest asks Slack for. Without `mpim:read`, conversations.info knows no group DM."""

SCOPES = (
    *("app_mentions:read", "assistant:write", "chat:write", "commands", "users:read"),
    *("channels:history", "groups:history", "im:history", "mpim:history"),
    *("channels:read", "groups:read", "im:read", "im:write"),
    *("files:read", "files:write", "reactions:read", "reactions:write"),
)
EVENTS = frozenset(
    {
        *("app_mention", "message.channels", "message.groups", "message.im", "message.mpim"),
        *("app_home_opened", "app_context_changed", "agent_session_stopped", "app_uninstalled", "tokens_revoked"),
    }
)
