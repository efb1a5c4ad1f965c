"""What a method is: a function of the fake, the caller and the arguments, under the fake's lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.fakes.slack.state import Json
from tests.fakes.slack.world import Caller

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

Handler = Callable[["FakeSlack", Caller, Json], Json]
HANDLERS: dict[str, Handler] = {}


def method(name: str) -> Callable[[Handler], Handler]:
    """Registers the function that answers `name`. What it returns is completed with `"ok": true`."""

    def register(handler: Handler) -> Handler:
        HANDLERS[name] = handler
        return handler

    return register
