"""A Bot API call that was refused."""

from __future__ import annotations

from tests.fakes.telegram.state import Json

_PREFIX = {
    400: "Bad Request",
    403: "Forbidden",
    409: "Conflict",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class Refusal(Exception):
    """`{"ok": false, …}` in Telegram's words.

    Args:
        why: the description without its prefix, such as "chat not found".
        code: HTTP's status and `error_code`.
        fault: when not "", the app did what a sound app never does: the fake writes it down as a violation.
        parameters: retry_after, migrate_to_chat_id.
    """

    def __init__(self, why: str, code: int = 400, *, fault: str = "", parameters: Json | None = None) -> None:
        self.code, self.fault, self.parameters = code, fault, parameters or {}
        self.description = f"{_PREFIX[code]}: {why}" if code in _PREFIX else why
        super().__init__(self.description)

    def as_json(self) -> Json:
        """The body of the answer."""
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


def flood(seconds: int) -> Refusal:
    """429: the next call may come in so many seconds."""
    return Refusal(f"retry after {seconds}", 429, parameters={"retry_after": seconds})
