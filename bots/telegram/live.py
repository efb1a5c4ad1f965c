"""An answer while it is written: a draft in a private chat, else a message that is edited.

Nothing here is waited for: what the limits have no room for is left out and comes with the next update. A message that
stays is sent by whoever calls, and by nobody behind his back, so that its id is always known or in doubt.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Awaitable, Callable

import structlog
from telegram.error import RetryAfter, TelegramError

from bots.chat.actions import Button
from bots.chat.closing import stop_button
from bots.chat.defang import settled, without_links
from bots.chat.platform import Address, Part, Status
from bots.telegram.format import TEXT_UNITS, split_text
from bots.telegram.limits import NotNow, Rank, ranked
from bots.telegram.outgoing import Outgoing
from bots.telegram.refusals import FAILURES, as_failure, error_code, retry_after_s
from bots.telegram.target import Target

log = structlog.get_logger(__name__)

# A draft is gone after 30 seconds, "typing" after 5.
REFRESH_S, TYPING_S = 20.0, 4.5
# How often a message in a group or a business chat is edited; drafts follow the cadence.
EDIT_EVERY_S = 3.0
_TICK_S = 1.0


class TelegramLive:
    """The view on one turn's answer. `send` and `edit` show the whole first part."""

    def __init__(
        self,
        outgoing: Outgoing,
        address: Address,
        post: str | None,
        send: Callable[[Address, Part], Awaitable[str]],
        edit: Callable[[Address, str, Part], Awaitable[None]],
        *,
        refresh_s: float = REFRESH_S,
        edit_every_s: float = EDIT_EVERY_S,
    ) -> None:
        self._outgoing = outgoing
        self._address = address
        self._target = Target.read(address.target)
        self._post = post
        self._send, self._edit = send, edit
        self._refresh_s, self._edit_every_s = refresh_s, edit_every_s
        # Customers of a shop are not told of queues, nor do they steer a machine.
        self._quiet = bool(self._target.business)
        self._wanted, self._shown = "", ""
        self._shown_at = self._typed_at = float("-inf")
        self._writing = False
        self._over = False
        self._one_at_a_time = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None

    async def status(self, status: Status) -> str | None:
        """What stands there while there is no text."""
        self._writing = False
        return await self._show(f"_{status.text}_" if status.text else "…")

    async def write(self, text: str, thinking: str, stop: Button) -> str | None:
        """All of the text so far: its end in a draft, its beginning in a message, which more will follow."""
        self._writing = True
        text = without_links(settled(text))
        pieces = [piece for piece in split_text(text, TEXT_UNITS) if piece.strip()] or ["…"]
        return await self._show(pieces[-1] if self._drafts else pieces[0])

    async def finish(self, part: Part) -> str:
        """The whole first part, as an edit of what stands there or as a new message, which replaces a draft."""
        await self._end()
        if self._post is not None:
            await self._edit(self._address, self._post, part)
            return self._post
        return await self._send(self._address, part)

    async def leave(self) -> None:
        """Show nothing more. What stands there stays."""
        await self._end()

    @property
    def _drafts(self) -> bool:
        private = self._target.private and not self._target.business
        return private and self._post is None and self._outgoing.server.rich is True

    async def _show(self, markdown: str) -> str | None:
        self._wanted = markdown
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name=f"telegram-live-{self._address.turn_id}")
        async with self._one_at_a_time:
            try:
                await self._outgoing.knows_rich()
                await self._update(may_begin=True)
            except NotNow:
                pass
            except RetryAfter as error:
                log.info("telegram_preview_flood", seconds=retry_after_s(error))
            except FAILURES as error:
                raise as_failure(error) from error
        return self._post

    async def _update(self, *, may_begin: bool) -> None:
        """Show what is wanted, if it is time."""
        if self._drafts:
            await self._draft()
            return
        if self._post is not None:
            await self._edited()
        elif may_begin and (self._writing or not self._quiet):
            with ranked(Rank.PREVIEW):
                self._post = await self._outgoing.send(self._target, self._wanted, self._stop())
            self._noted()
        await self._typing()

    async def _draft(self) -> None:
        stale = time.monotonic() - self._shown_at > self._refresh_s
        if self._wanted == self._shown and not stale:
            return
        await self._outgoing.draft(self._target, draft_id(self._address.turn_id), self._wanted)
        self._noted()

    async def _edited(self) -> None:
        if self._post is None or self._wanted == self._shown or time.monotonic() - self._shown_at < self._edit_every_s:
            return
        with ranked(Rank.PREVIEW):
            await self._outgoing.edit(self._target, self._post, self._wanted, self._stop())
        self._noted()

    async def _typing(self) -> None:
        if self._writing or time.monotonic() - self._typed_at < TYPING_S:
            return
        self._typed_at = time.monotonic()
        with contextlib.suppress(TelegramError):
            await self._outgoing.typing(self._target)

    def _noted(self) -> None:
        self._shown, self._shown_at = self._wanted, time.monotonic()

    def _stop(self) -> list[Button]:
        return [] if self._quiet else [stop_button(self._address.turn_id, self._address.texts)]

    async def _keep(self) -> None:
        """Keep the draft alive, and bring what was left out."""
        while not self._over:
            await asyncio.sleep(_TICK_S)
            async with self._one_at_a_time:
                if self._over:
                    return
                try:
                    await self._update(may_begin=False)
                except NotNow:
                    pass
                except FAILURES as error:
                    log.info("telegram_preview_failed", error=error_code(error))

    async def _end(self) -> None:
        self._over = True
        # What is under way must not arrive behind the answer.
        async with self._one_at_a_time:
            if self._keeper is not None:
                self._keeper.cancel()
                await asyncio.gather(self._keeper, return_exceptions=True)
                self._keeper = None


class SilentLive:
    """Where nobody is to see an answer before it is whole: its owner must approve it first."""

    def __init__(self, address: Address, send: Callable[[Address, Part], Awaitable[str]]) -> None:
        self._address = address
        self._send = send

    async def status(self, status: Status) -> str | None:
        """Nothing is shown."""
        return None

    async def write(self, text: str, thinking: str, stop: Button) -> str | None:
        """Nothing is shown."""
        return None

    async def finish(self, part: Part) -> str:
        """The whole first part as a new message."""
        return await self._send(self._address, part)

    async def leave(self) -> None:
        """Nothing is there to be left."""


def draft_id(turn_id: str) -> int:
    """The id of a turn's draft: the same in every process, never 0."""
    return int.from_bytes(hashlib.sha256(turn_id.encode()).digest()[:4]) % (2**31 - 1) + 1
