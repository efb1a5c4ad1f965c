"""What has happened in the fake Slack so far."""

from __future__ import annotations

from tests.fakes.server import FakeServer
from tests.fakes.slack.api import Call


class Calls(FakeServer):
    """All calls of methods, beside what every fake has."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.calls: list[Call] = []

    def recently(self) -> list[str]:
        """The last calls."""
        return [f"{call.method} {call.error or 'ok'}" for call in self.calls[-8:]]

    def called(self, method: str) -> list[Call]:
        """The calls of one method, oldest first."""
        with self.lock:
            return [call for call in self.calls if call.method == method]
