"""References → pictures: everything that is fetched after a question was acknowledged."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from bots.chat.background import Background
from bots.chat.gather import Gatherer
from bots.chat.texts import text_id
from bots.services import Services
from bots.telegram.download import Downloader
from core.conversation.inbound import Named, Refused
from core.errors import GlimtError, PictureError
from core.store.models import Attachment, Turn
from core.values import Platform

log = structlog.get_logger(__name__)

# Files that are fetched at once, of all questions.
FETCHES = 16


class TelegramGatherer(Gatherer):
    """Fetches what questions in Telegram refer to."""

    platform = Platform.TELEGRAM
    not_in_time = text_id("Telegram did not hand it out in time. Please send it again.")

    def __init__(self, services: Services, background: Background, downloader: Downloader) -> None:
        super().__init__(services, background)
        self._downloader = downloader
        self._slots = asyncio.Semaphore(FETCHES)

    async def fetch(
        self, turn: Turn, target: Mapping[str, Any], pending: Sequence[Attachment]
    ) -> list[Named | Refused]:
        """See `Gatherer.fetch`. In the order of their messages, whenever each arrived."""
        references = sorted(pending, key=lambda a: (int(a.source.get("message", 0)), a.position))
        names = _told_apart([a.name for a in references])
        person = f"telegram:{target.get('user_id')}"
        read = await asyncio.gather(
            *(self._read(person, name, a.source) for name, a in zip(names, references, strict=True))
        )
        return [one for several in read for one in several]

    async def _read(self, person: str, name: str, source: Mapping[str, Any]) -> list[Named | Refused]:
        if why := source.get("why"):
            return [Refused(name, PictureError.code, str(why))]
        async with self._slots:
            try:
                data = await self._downloader.fetch(str(source["file_id"]), int(source.get("size") or 0))
                named, refused = await self._services.pictures.read(person, name, data)
                return [*named, *refused]
            except GlimtError as error:
                return [Refused(name, error.code, error.user_message)]
            except Exception:
                # One file must not keep the question, and the others, waiting for ever.
                log.exception("telegram_file_error")
                return [Refused(name, GlimtError.code, GlimtError.user_message)]


def _told_apart(names: Sequence[str]) -> list[str]:
    """Photos have no names: those of an album are numbered, so that one that cannot be read can be named."""
    counted: dict[str, int] = {}
    told = []
    for name in names:
        counted[name] = counted.get(name, 0) + 1
        told.append(f"{name} {counted[name]}" if names.count(name) > 1 else name)
    return told
