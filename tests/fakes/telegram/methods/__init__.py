"""What each method does, by its name in lower case. A handler gets the fake and the arguments, under the lock, and
returns the result or raises a Refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.fakes.telegram.methods import business, chats, commands, drafts, edit, me, remove, send, taking
from tests.fakes.telegram.state import Json

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

Handler = Callable[["FakeTelegram", Json], Any]

HANDLERS: dict[str, Handler] = {
    name.lower(): handler
    for part in (business, chats, commands, drafts, edit, me, remove, send, taking)
    for name, handler in part.HANDLERS.items()
}
