"""One answer's way to its platform: shown while it is written, then whole, each message once (docs/adr/0016)."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog

from bots.chat.boxes import BoxedPicture, boxed_picture
from bots.chat.bringing import Bringing
from bots.chat.closing import Closing, closing, quiet_closing, stop_button
from bots.chat.follow import Done, Progress, Writing, follow, repeated
from bots.chat.platform import LeftOut, Live, Part, SendFailed, SendRefused, Status
from bots.chat.status_text import status_text
from core.errors import LostLease
from core.store.models import Turn

log = structlog.get_logger(__name__)

# How long the live view rests when the platform did not take an update and does not say how long it wants.
QUIET_S = 2.0
# After how long it is shown once more what was not, where nothing new has come meanwhile.
AGAIN_S = 1.0


@dataclass(slots=True)
class Sending(Bringing):
    """An answer of the model's. `pace` tells how many times slower than usual it is to be shown while it is written,
    and `pressed` that at the moment it is not to be shown at all."""

    pace: Callable[[], float] = lambda: 1.0
    pressed: Callable[[], bool] = lambda: False
    _begun: bool = False
    _shown: bool = False
    _off: bool = False
    _quiet_until: float = 0.0
    _again: Progress | None = None

    async def _bring(self) -> None:
        first = await self._settle(0)
        live = self.platform.live(self.address, first or None)
        try:
            turn = await self._watch(live)
            if turn is not None:
                await self._finish(live, turn)
        finally:
            await live.leave()
        if turn is None and not await self._note(lambda r: r.deliveries.release(self.delivery_id, self.owner)):
            raise LostLease(f"delivery {self.delivery_id} was not ours to release")

    async def _watch(self, live: Live) -> Turn | None:
        """Show the answer while it is written; the row of the turn that has ended, None: asked to stop."""
        cadence, thinking = self.platform.cadence, self.platform.show_thinking
        following = follow(self.services.hub, self.address.turn_id, cadence, show_thinking=thinking, pace=self.pace)
        async with (
            aclosing(following) as progress,
            aclosing(repeated(progress, self.stop, lambda: self._again, AGAIN_S)) as all_news,
        ):
            async for news in all_news:
                if isinstance(news, Done):
                    return news.turn
                self._again = None if await self._show(live, news) or self._off else news
        return None

    async def _show(self, live: Live, news: Progress) -> bool:
        """Whether it was taken; else it is worth another try."""
        if self._off or self.pressed() or time.monotonic() < self._quiet_until:
            return False
        if not self._begun:
            await self._begin(0)
            self._begun = True
        self._shown = True
        try:
            if isinstance(news, Writing):
                stop = stop_button(self.address.turn_id, self.address.texts)
                post = await live.write(news.text, news.thinking, stop)
            else:
                post = await live.status(Status(status_text(news, self.address.texts)))
        except LeftOut:
            return False
        except SendRefused as error:
            self._off = True
            log.info("live_view_refused", delivery=self.delivery_id, detail=str(error))
            return False
        except SendFailed as error:
            self._quiet_until = time.monotonic() + (error.retry_after_s or QUIET_S)
            log.info("live_view_failed", delivery=self.delivery_id, detail=str(error))
            self._doubt(0)
            return False
        except Exception:
            # The answer does not depend on what is shown of it before.
            self._off = True
            log.exception("live_view_error", delivery=self.delivery_id)
            self._doubt(0)
            return False
        known = self.posts.get(0)
        if post and (known is None or known.external_id != post):
            await self._noted(0, post, complete=False)
        return True

    async def _finish(self, live: Live, turn: Turn) -> None:
        if turn.answered_by:
            raise LostLease(f"delivery {self.delivery_id} brings a human's words now")
        # Whoever asks for the first time: his language was learnt meanwhile.
        self.address = replace(self.address, texts=await asyncio.to_thread(self._texts))
        if self.platform.in_our_name(self.address):
            ended = closing(turn, self.address.texts)
            # A status line is something that stands there, too: it goes when a message comes.
            stands = bool(self.posts) or self._shown
        else:
            ended = quiet_closing(turn, self.address.texts)
            stands = any(post.external_id for post in self.posts.values())
            if not ended.text:
                log.warning("unanswered_in_anothers_name", turn=turn.id, state=turn.state, error=turn.error_code)
        parts = await self._parts(turn, ended) if ended.text or stands else []
        await self._show_all(parts, live if self._shown else None)

    async def _parts(self, turn: Turn, ended: Closing) -> list[Part]:
        """What the platform is to show in the end: the text in parts, then the picture with its boxes."""
        # Where something stands already, a turn that was handed over must not leave it there as it is.
        text = ended.text or self.address.texts("A person will answer you here.")
        pieces = [piece for piece in self.platform.split(self.address, text) if piece.strip()] or [text]
        parts = [Part(position, piece) for position, piece in enumerate(pieces)]
        parts[-1] = replace(parts[-1], last=True, buttons=ended.buttons)
        if turn.boxes and (boxed := await self._boxed(turn)) is not None:
            parts.append(Part(len(parts), boxed.caption, picture=boxed.data, picture_name=boxed.name))
        return parts

    async def _boxed(self, turn: Turn) -> BoxedPicture | None:
        return await asyncio.to_thread(boxed_picture, self.services.store, self.services.blobs, turn)
