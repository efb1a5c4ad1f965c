"""What the stands of Slack's and of Telegram's adapter have in common."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from core.conversation.joining import turn_of_key
from core.store.models import Delivery, InboundEvent, Turn
from core.values import FINAL_STATES, Platform
from tests.integration.web.site import Site
from tests.processes import PATIENCE_S, until

Result = TypeVar("Result")


@dataclass
class Adapted(Site):
    """A running adapter, in a thread with `loop`."""

    platform: ClassVar[Platform]

    loop: asyncio.AbstractEventLoop | None = None

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something in the adapter's own loop."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_S)

    def event_turn(self, key: str) -> str | None:
        """The id of the turn that an inbound event became by now."""
        return turn_of_key(self.at.store, self.platform, key)

    def turn_of_event(self, key: str) -> Turn:
        """The turn that an inbound event becomes."""
        return self.turn(str(until(lambda: self.event_turn(key), f"{key} becomes a turn")))

    def events(self) -> int:
        """How many inbound events were taken in."""
        with self.at.store.read() as repositories:
            return repositories.session.query(InboundEvent).count()

    def settled(self) -> None:
        """Until everything that has ended was brought to its chat."""

        def left() -> int:
            with self.at.store.read() as repositories:
                return (
                    repositories.session.query(Delivery)
                    .join(Turn, Turn.id == Delivery.turn_id)
                    .filter(Delivery.state.in_(["pending", "sending"]), Turn.state.in_(FINAL_STATES))
                    .count()
                )

        until(lambda: left() == 0, "all answers are there")
