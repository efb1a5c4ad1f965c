"""What admins say in a chat: their own words with pictures, and notices about who answers (docs/adr/0024).

All of it is there when the delivery is claimed, so nothing is followed; each message is brought like one of an answer.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bots.chat.bringing import Bringing
from bots.chat.platform import Part
from bots.chat.split import utf16_units
from bots.chat.texts import Texts, text_id
from core.errors import NotFound
from core.store.models import Attachment, Turn
from core.values import AttachmentState, Notice

_SAID: Mapping[Notice, str] = {
    Notice.TAKEN: text_id("A person answers you here now, and I stay silent meanwhile."),
    Notice.BACK: text_id("I answer here again."),
    Notice.ASK_AGAIN: text_id("I answer here again. Please ask what is still open once more."),
    Notice.IDLE: text_id("The person has left this conversation. I answer here again."),
}


def notice_text(notice: Notice, texts: Texts) -> str:
    """What a notice says."""
    return texts(_SAID[notice])


@dataclass(slots=True)
class SpokenWords(Bringing):
    """An admin's words, as he wrote them, and his pictures: under the first of them, where there is room."""

    _pictures: dict[int, Attachment] = field(default_factory=dict)

    async def _bring(self) -> None:
        turn = await asyncio.to_thread(self._turn)
        await self._show_all(self._parts(turn))

    def _parts(self, turn: Turn) -> Sequence[Part]:
        pictures = [picture for picture in turn.answer_pictures if picture.state == AttachmentState.STORED]
        text = turn.answer.strip()
        pieces = [piece for piece in self.platform.split(self.address, text) if piece.strip()] if text else []
        fits = len(pieces) == 1 and utf16_units(text) <= self.platform.caption_units
        caption = pieces.pop() if pictures and fits else ""
        said = [Part(position, piece) for position, piece in enumerate(pieces)]
        self._pictures = dict(enumerate(pictures, len(said)))
        captions = [caption, *[""] * len(pictures)]
        shown = [
            Part(position, words, picture_name=_name(picture))
            for words, (position, picture) in zip(captions, self._pictures.items(), strict=False)
        ]
        parts = [*said, *shown]
        return [*parts[:-1], replace(parts[-1], last=True)] if parts else []

    async def _whole(self, part: Part) -> Part:
        picture = self._pictures.get(part.position)
        if picture is None:
            return part
        # Only now: there may be ten of them.
        return replace(part, picture=await asyncio.to_thread(self.services.blobs.get, picture.blob_key))

    def _turn(self) -> Turn:
        with self.services.store.read() as repositories:
            turn = repositories.turns.get(self.address.turn_id)
        if turn is None:
            raise NotFound
        return turn


@dataclass(slots=True)
class SpokenNotice(Bringing):
    """Who answers from now on; nothing where it is not known that a machine does."""

    notice: Notice = Notice.TAKEN

    async def _bring(self) -> None:
        pieces: Sequence[str] = ()
        if self.platform.in_our_name(self.address):
            pieces = self.platform.split(self.address, notice_text(self.notice, self.address.texts))
        await self._show_all([Part(n, piece, last=n == len(pieces) - 1) for n, piece in enumerate(pieces)])


def _name(picture: Attachment) -> str:
    """A name with the ending that its bytes have: a picture is kept as PNG or JPEG, whatever it was."""
    stem = picture.name.rpartition(".")[0] or picture.name or "picture"
    return f"{stem}.{'jpg' if picture.media_type == 'image/jpeg' else 'png'}"
