"""Slack's signature of a request (docs.slack.dev/authentication/verifying-requests-from-slack)."""

import hashlib
import hmac


def signed_headers(secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    """X-Slack-Signature and X-Slack-Request-Timestamp of `body` at `timestamp`, in seconds since 1970."""
    base = b"v0:%d:%s" % (timestamp, body)
    signature = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={signature}"}
