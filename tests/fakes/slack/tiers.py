"""Slack's rate limits (docs.slack.dev/apis/web-api/rate-limits), for tests that ask whether the app keeps to them."""

from collections import defaultdict, deque

# Calls a minute that a workspace has for a method: tiers 2 to 4. Slack promises these and lets bursts pass; the fake
# lets none.
_TIERS = {
    20: ("chat.startStream", "chat.stopStream"),
    50: (
        *("chat.update", "chat.delete", "agents.sessions.setStatus", "agents.sessions.rename", "reactions.add"),
        *("conversations.open", "conversations.history", "conversations.replies"),
    ),
    100: (
        *("chat.appendStream", "chat.postEphemeral", "users.info", "views.publish", "views.open"),
        *("files.info", "files.getUploadURLExternal", "files.completeUploadExternal"),
    ),
}
_A_MINUTE = {method: calls for calls, methods in _TIERS.items() for method in methods}
_POSTS_A_MINUTE = 60


class Tiers:
    """`enforced`: a call too many is answered with 429. Off at first."""

    def __init__(self) -> None:
        self.enforced = False
        self._calls: dict[tuple[str, str, str], deque[float]] = defaultdict(deque)

    def wait(self, method: str, token: str, channel: str, now: float) -> int:
        """Counts a call.

        Returns: the seconds until the next one is allowed, 0 when this one is. A message may go to each channel once a
        second, with short bursts.
        """
        posting = method == "chat.postMessage"
        most = _POSTS_A_MINUTE if posting else _A_MINUTE.get(method)
        if not self.enforced or most is None:
            return 0
        calls = self._calls[method, token, channel if posting else ""]
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= most:
            return max(1, int(calls[0] + 60 - now + 0.999))
        calls.append(now)
        return 0
