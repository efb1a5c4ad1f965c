"""The end of gathering on a chat platform: what a question refers to is fetched, and the turn becomes ready."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from bots.chat.background import Background
from bots.services import Services
from core.conversation.gathering import Gathered, finish_gathering
from core.conversation.inbound import Named, Refused
from core.errors import GlimtError, PictureError, StoreError
from core.store.models import Attachment, Turn
from core.values import AttachmentState, Platform, TurnState, utc_now

log = structlog.get_logger(__name__)

# How often it looks for questions whose files another process was about to fetch.
LOOK_S = 20.0
# A question that cannot be gathered for so long is answered without.
GIVE_UP_AFTER = timedelta(minutes=3)
_STORE_PAUSE_S = 2.0
# A human who answers has seen without them by then.
LATEST_FILES = timedelta(hours=1)


class Gatherer(ABC):
    """Fetches the files of turns that are gathering and makes them ready; also those of turns that were handed over,
    for the human who answers. An adapter says how one fetches.

    Where a turn waits for more (`not_before`), that is waited for first, so that nothing is fetched twice.
    """

    platform: Platform
    # What is said of files that could not be had in time, in English.
    not_in_time: str

    def __init__(self, services: Services, background: Background) -> None:
        self._services = services
        self._background = background
        # Turns that were asked for while they are being gathered.
        self._news: dict[str, asyncio.Event] = {}

    @abstractmethod
    async def fetch(
        self, turn: Turn, target: Mapping[str, Any], pending: Sequence[Attachment]
    ) -> list[Named | Refused]:
        """The pictures that the references stand for, in the order in which they are to be looked at, and why the
        others cannot be. `target`: where the question was asked (`InboundQuestion.reply_to`).

        Raises:
            StoreError: it is tried again.
        """

    def begin(self, turn_id: str) -> None:
        """This turn is gathering, or more was added to it."""
        self._news.setdefault(turn_id, asyncio.Event()).set()
        self._background.start(self._follow(turn_id), turn_id)

    async def resume(self) -> None:
        """For ever: fetch what was not fetched to its end, by the process before us or by another one that died."""
        while True:
            with contextlib.suppress(GlimtError):
                for turn_id in await asyncio.to_thread(self._gathering):
                    self.begin(turn_id)
            await asyncio.sleep(LOOK_S)

    async def gather(self, turn_id: str) -> None:
        """Until the turn is ready, or over. Once begun it is safe to be cut off: it is then done anew."""
        while True:
            try:
                if await self._once(turn_id) is not Gathered.MORE:
                    return
            except StoreError as error:
                log.warning("gathering_waits", error=error.code)
                await asyncio.sleep(_STORE_PAUSE_S)

    async def _follow(self, turn_id: str) -> None:
        news = self._news[turn_id]
        try:
            while news.is_set():
                news.clear()
                await self.gather(turn_id)
        finally:
            # In the same step as the last look at it, so that nothing is begun in between.
            del self._news[turn_id]

    async def _once(self, turn_id: str) -> Gathered:
        turn, target = await asyncio.to_thread(self._load, turn_id)
        if turn is None or target is None:
            return Gathered.OVER
        is_for_human = turn.state == TurnState.HANDED_OVER or bool(turn.answered_by)
        if turn.state != TurnState.GATHERING and not is_for_human:
            return Gathered.OVER
        if turn.not_before is not None and (wait := (turn.not_before - utc_now()).total_seconds()) > 0:
            await self._wait(turn_id, wait)
            return Gathered.MORE
        pending = [a for a in turn.attachments if a.state == AttachmentState.PENDING]
        if is_for_human and not pending:
            return Gathered.OVER
        try:
            files = await self.fetch(turn, target, pending)
        except StoreError:
            raise
        except Exception as error:
            # Tried again by whoever looks next (`resume`), but not for ever: somebody waits for an answer.
            if utc_now() - turn.created_at < GIVE_UP_AFTER:
                raise
            log.warning("gathering_given_up", turn=turn_id, error=type(error).__name__)
            files = [Refused(a.name, PictureError.code, self.not_in_time) for a in pending]
        result = await asyncio.to_thread(
            finish_gathering,
            self._services.store,
            self._services.blobs,
            turn_id,
            [a.id for a in pending],
            files,
            self._services.settings.pictures_per_turn,
        )
        if result is Gathered.READY:
            self._services.announcer.hint(turn.person_id, turn.conversation_id)
        return result

    async def _wait(self, turn_id: str, seconds: float) -> None:
        """Until it is time, or something was added: it may be time by then."""
        news = self._news.get(turn_id)
        if news is None:
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await news.wait()
        news.clear()

    def _load(self, turn_id: str) -> tuple[Turn | None, Mapping[str, Any] | None]:
        with self._services.store.read() as repositories:
            turn = repositories.turns.get(turn_id)
            delivery = repositories.deliveries.of_turn(turn_id)
        return turn, delivery.target if delivery is not None else None

    def _gathering(self) -> list[str]:
        with self._services.store.read() as repositories:
            gathering = repositories.turns.gathering_on(self.platform)
            unseen = repositories.turns.unseen_files_on(self.platform, utc_now() - LATEST_FILES)
        return list(dict.fromkeys([*gathering, *unseen]))
