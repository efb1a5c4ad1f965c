"""A chat platform of the tests' own, behind the same port as Slack's and Telegram's adapters."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from bots.chat.actions import Button
from bots.chat.follow import Cadence
from bots.chat.platform import Address, Part, PostGone, SendFailed, Status
from bots.chat.split import split
from core.values import Platform

LIMIT = 200


class Killed(BaseException):
    """The process ends here: nothing behind it happens any more."""


@dataclass
class Shown:
    """A message on the platform: all that it ever showed, last what it shows now. `turn_id` is the mark that it
    carries, the delivery's where an admin speaks."""

    turn_id: str
    position: int
    versions: list[str]
    buttons: tuple[Button, ...] = ()
    pictures: int = 0

    @property
    def text(self) -> str:
        return self.versions[-1]


@dataclass
class Pigeons:
    """Keeps messages by id. `stays`: the live view is a message that stays, not a draft that vanishes.

    `failures` are raised by the next calls of that name, one each: before anything happens, or, with "after " before
    the name, when it has happened.
    """

    stays: bool = True
    finds: bool = True
    platform: Platform = Platform.TELEGRAM
    cadence: Cadence = field(default_factory=lambda: Cadence(first_s=0.0, every_s=0.0))
    show_thinking: bool = False
    caption_units: int = 100
    messages: dict[str, Shown] = field(default_factory=dict)
    drafts: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    failures: dict[str, list[BaseException]] = field(default_factory=lambda: defaultdict(list))
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    calls: list[str] = field(default_factory=list)

    def shown(self, turn_id: str) -> list[Shown]:
        """The messages of one answer, as they came."""
        return [message for message in self.messages.values() if message.turn_id == turn_id]

    def split(self, address: Address, text: str) -> Sequence[str]:
        return [piece.shown for piece in split(text, LIMIT)]

    def in_our_name(self, address: Address) -> bool:
        return True

    def live(self, address: Address, post: str | None) -> "Flight":
        return Flight(self, address, post)

    async def send(self, address: Address, part: Part) -> str:
        await self._meet("send")
        post = f"post-{len(self.messages)}"
        self.messages[post] = Shown(address.mark, part.position, [part.text], part.buttons, bool(part.picture))
        await self._meet("after send")
        return post

    async def edit(self, address: Address, post: str, part: Part) -> None:
        await self._meet("edit")
        if post not in self.messages:
            raise PostGone(post)
        self.messages[post].versions.append(part.text)
        self.messages[post].buttons = part.buttons
        await self._meet("after edit")

    async def find(self, address: Address, position: int) -> str | None:
        await self._meet("find")
        if not self.finds:
            return None
        here = (post for post, m in self.messages.items() if (m.turn_id, m.position) == (address.mark, position))
        return next(here, None)

    async def until(self, turn_id: str, text: str) -> None:
        """Wait until the live view shows this text."""
        async with self.changed:
            await self.changed.wait_for(
                lambda: text in self.drafts or any(text in message.versions for message in self.shown(turn_id))
            )

    async def until_called(self, name: str, times: int) -> None:
        """Wait until there were so many of these calls."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.calls.count(name) >= times)

    async def until_failed(self, name: str) -> None:
        """Wait until every failure of these calls was met."""
        async with self.changed:
            await self.changed.wait_for(lambda: not self.failures[name])

    async def _meet(self, name: str) -> None:
        self.calls.append(name)
        failure = self.failures[name].pop(0) if self.failures[name] else None
        async with self.changed:
            self.changed.notify_all()
        if failure is not None:
            raise failure


@dataclass
class Flight:
    """One live view."""

    pigeons: Pigeons
    address: Address
    post: str | None

    async def status(self, status: Status) -> str | None:
        await self.pigeons._meet("status")
        self.pigeons.statuses.append(status.text)
        return self.post

    async def write(self, text: str, thinking: str, stop: Button) -> str | None:
        await self.pigeons._meet("write")
        if not self.pigeons.stays:
            self.pigeons.drafts.append(text)
        elif self.post is None:
            self.post = f"post-{len(self.pigeons.messages)}"
            self.pigeons.messages[self.post] = Shown(self.address.turn_id, 0, [text])
        else:
            self.pigeons.messages[self.post].versions.append(text)
        await self.pigeons._meet("after write")
        return self.post

    async def finish(self, part: Part) -> str:
        await self.pigeons._meet("finish")
        if self.post is None:
            return await self.pigeons.send(self.address, part)
        await self.pigeons.edit(self.address, self.post, part)
        return self.post

    async def leave(self) -> None:
        self.pigeons.calls.append("leave")


def limited(retry_after_s: float = 0.0) -> SendFailed:
    """The platform wants to be left alone for a while."""
    return SendFailed("rate limited", retry_after_s=retry_after_s)
