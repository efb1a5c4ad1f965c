"""Telegram as a platform that answers are sent to."""

import contextlib
from collections.abc import Sequence

import structlog
from telegram import Bot

from bots.chat.actions import Button
from bots.chat.defang import without_links
from bots.chat.follow import Cadence
from bots.chat.platform import Address, Live, Part, PostGone, SendFailed
from bots.services import Services
from bots.telegram.approval import Approvals
from bots.telegram.format import CAPTION_UNITS, as_written, split_text
from bots.telegram.limits import Rank, ranked
from bots.telegram.live import EDIT_EVERY_S, REFRESH_S, SilentLive, TelegramLive
from bots.telegram.outgoing import Outgoing
from bots.telegram.refusals import FAILURES, as_failure, is_ambiguous
from bots.telegram.server import Server
from bots.telegram.target import Target, post_id, read_post_id
from core.values import Platform

log = structlog.get_logger(__name__)


# Each is a call, one a second in a chat. A bot that so many people write to within a moment gives up looking.
_MOST_CANDIDATES = 10


class TelegramPlatform:
    """Sends as one bot. Several processes may, but the limits are kept by each for itself."""

    platform = Platform.TELEGRAM
    # A chat takes about one message a second; the live view thins out what is too much.
    cadence = Cadence(first_s=0.3, every_s=1.2)
    show_thinking = False
    caption_units = CAPTION_UNITS
    refresh_s, edit_every_s = REFRESH_S, EDIT_EVERY_S

    def __init__(self, services: Services, bot: Bot) -> None:
        self.server = Server()
        self.outgoing = Outgoing(bot, self.server)
        self.approvals = Approvals(services, self.outgoing)
        # Messages of which nobody knows whether they got out, each with the last one before it, and those that were
        # put in their place.
        self._doubted: dict[tuple[str, int], int] = {}
        self._placed: dict[tuple[str, int], str] = {}

    def split(self, address: Address, text: str) -> Sequence[str]:
        """Parts that one message each can hold, as formatted, without links; a human's own words as he wrote them."""
        own_words = address.by_human or address.target.get("own_words")
        return split_text(as_written(text) if own_words else without_links(text))

    def in_our_name(self, address: Address) -> bool:
        """Not to the customers of a shop; its owner is told everything about what he is to approve."""
        return not address.target.get("business") or self.approvals.are_wanted(address)

    def live(self, address: Address, post: str | None) -> Live:
        """The view on an answer that is being written."""
        if self.approvals.are_wanted(address):
            return SilentLive(address, self.send)
        return TelegramLive(
            self.outgoing,
            address,
            post,
            self.send,
            self.edit,
            refresh_s=self.refresh_s,
            edit_every_s=self.edit_every_s,
        )

    async def send(self, address: Address, part: Part) -> str:
        """Send a new message; `CHAT:MESSAGE`."""
        target = Target.read(address.target)
        try:
            with ranked(Rank.FINAL):
                if self.approvals.are_wanted(address):
                    return await self.approvals.propose(address, part)
                return await self._send(target, address, part)
        except FAILURES as error:
            raise as_failure(error) from error

    async def edit(self, address: Address, post: str, part: Part) -> None:
        """Write the message anew."""
        target = Target.read(address.target)
        try:
            with ranked(Rank.FINAL):
                if self.approvals.are_wanted(address):
                    await self.approvals.propose_again(address, post, part)
                elif not part.picture:
                    # A picture that has an id stands there as it is to be.
                    await self.outgoing.edit(target, post, part.text, buttons_of(target, part))
        except FAILURES as error:
            raise as_failure(error) from error

    async def find(self, address: Address, position: int) -> str | None:
        """Telegram cannot be searched; only what this process put in a doubtful message's place is known."""
        return self._placed.get((address.mark, position))

    async def notice(self, target: Target, text: str, buttons: Sequence[Button] = ()) -> None:
        """Say something that is no answer.

        Raises:
            SendFailed: see there.
        """
        pieces = split_text(text)
        try:
            for piece in pieces:
                await self.outgoing.send(target, piece, buttons if piece is pieces[-1] else ())
        except FAILURES as error:
            raise as_failure(error) from error

    async def put_buttons(self, target: Target, post: str, buttons: Sequence[Button]) -> None:
        """Other buttons below a message of ours.

        Raises:
            SendFailed: see there.
        """
        try:
            await self.outgoing.set_buttons(target, post, buttons)
        except FAILURES as error:
            raise as_failure(error) from error

    async def _send(self, target: Target, address: Address, part: Part) -> str:
        key = (address.mark, part.position)
        if key in self._doubted:
            if not part.picture:
                return await self._send_carefully(target, key, part)
            if (found := await self._find_picture(target, key, part)) is not None:
                return found
        before = max(self.server.last_id, target.message_id)
        try:
            if part.picture:
                post = await self._photo(target, address, part)
            else:
                post = await self.outgoing.send(target, part.text, buttons_of(target, part))
            self._doubted.pop(key, None)
            return post
        except FAILURES as error:
            if is_ambiguous(error):
                self._doubted[key] = before
            raise

    async def _photo(self, target: Target, address: Address, part: Part) -> str:
        caption = part.text if address.by_human else without_links(part.text)
        return await self.outgoing.photo(
            target,
            part.picture,
            part.picture_name,
            caption,
            buttons_of(target, part),
            reply=None if address.by_human else True,
        )

    async def _find_picture(self, target: Target, key: tuple[str, int], part: Part) -> str | None:
        """Perhaps it stands there already: it is looked for before something small, which then goes."""
        if not target.private or target.business:
            return None
        placed = await self.outgoing.send(target, "…")
        found = await self._before(target, placed, self._doubted[key], part)
        with contextlib.suppress(*FAILURES):
            await self.outgoing.delete(placed)
        if found is not None:
            del self._doubted[key]
        return found

    async def _send_carefully(self, target: Target, key: tuple[str, int], part: Part) -> str:
        """Perhaps it stands there already. First something small is sent, whose id is known: in a private chat the
        message is looked for before it; else the text becomes its edit, which may be repeated."""
        post = self._placed.get(key)
        if post is None:
            post = self._placed[key] = await self.outgoing.send(target, "…")
            found = await self._before(target, post, self._doubted[key], part)
            if found is not None:
                del self._placed[key], self._doubted[key]
                with contextlib.suppress(*FAILURES):
                    # What is left of it would be three dots.
                    await self.outgoing.delete(post)
                return found
        try:
            await self.outgoing.edit(target, post, part.text, buttons_of(target, part))
        except FAILURES as error:
            if isinstance(as_failure(error), PostGone):
                del self._placed[key]
                raise SendFailed("what stood for it was deleted") from error
            raise
        del self._placed[key], self._doubted[key]
        return post

    async def _before(self, target: Target, post: str, after: int, part: Part) -> str | None:
        """The message that shows this part, among those between two known ones: by its buttons, which name its turn,
        else by its words. Those that we know are none of them."""
        if not target.private or target.business:
            return None
        chat_id, number = read_post_id(post)
        for candidate in range(number - 1, max(after, number - 1 - _MOST_CANDIDATES), -1):
            there = post_id(chat_id, candidate)
            if part.buttons:
                is_it = await self.outgoing.carries(target, there, part.buttons)
            elif there in self.server.known:
                is_it = False
            else:
                is_it = await self.outgoing.says(target, there, part.text, pictured=bool(part.picture))
            if is_it:
                return there
        return None


def buttons_of(target: Target, part: Part) -> Sequence[Button]:
    """None in a business chat: its customers talk to a shop."""
    return () if target.business else part.buttons
