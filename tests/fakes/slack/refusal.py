"""How Slack says no."""

from typing import Any


class Refusal(Exception):
    """Becomes `{"ok": false, "error": code, …}`.

    Args:
        code: Slack's own, from the page of the method.
        fault: the caller broke a rule that it could have kept (a limit, a missing argument), so that the test must
            fail; without it the refusal is one that a sound caller meets too (a channel that is gone).
        extra: further fields of the answer.
    """

    def __init__(self, code: str, *, fault: str = "", **extra: Any) -> None:
        super().__init__(f"{code}: {fault}" if fault else code)
        self.code = code
        self.fault = fault
        self.extra = extra


def invalid(code: str, pointer: str, why: str) -> Refusal:
    """A refusal that names the place in the payload as Slack does, in `response_metadata.messages`."""
    return Refusal(
        code,
        fault=f"{why} at {pointer}",
        response_metadata={"messages": [f"[ERROR] {why} [json-pointer:{pointer}]"]},
    )
