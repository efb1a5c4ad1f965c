"""The pictures of a request: decoded or fetched, made safe, or the whole request refused."""

import asyncio
import base64
import binascii
import re

from bots.web.openai_api.fetch import PictureHosts
from bots.web.openai_api.messages import PictureRef
from bots.web.picture_reader import PictureReader
from core.conversation.inbound import Named
from core.errors import PictureError, PictureTooLarge, WrongParameter
from core.settings import Settings

# Fetched at once for one request.
FETCHES = 4
_DATA_URL = re.compile(r"data:([^,]{0,200}),", re.IGNORECASE)
_SPACE = re.compile(rb"[ \t\r\n]+")


class PictureSource:
    """Turns references into safe pictures."""

    def __init__(self, settings: Settings, reader: PictureReader) -> None:
        self._max_bytes = settings.picture_max_bytes
        self._hosts = PictureHosts(settings.picture_hosts)
        self._reader = reader

    async def read(self, refs: list[PictureRef]) -> dict[int, tuple[Named, ...]]:
        """The pictures behind each reference, by its number (a PDF has several).

        A program cannot see that a picture was left out, so one unreadable picture refuses them all.

        Raises:
            WrongParameter: naming each one that cannot be used and why.
        """
        if not refs:
            return {}
        slots = asyncio.Semaphore(FETCHES)
        results = await asyncio.gather(*(self._one(ref, slots) for ref in refs))
        wrong = [(ref, said) for ref, said in zip(refs, results, strict=True) if isinstance(said, str)]
        if wrong:
            parameter = wrong[0][0].where
            raise WrongParameter(parameter, " ".join(f"Picture {r.number} ({r.where}): {why}" for r, why in wrong))
        return {r.number: tuple(named) for r, named in zip(refs, results, strict=True) if not isinstance(named, str)}

    async def _one(self, ref: PictureRef, slots: asyncio.Semaphore) -> list[Named] | str:
        async with slots:
            try:
                data = await asyncio.to_thread(self._bytes, ref.url)
            except PictureError as error:
                return error.user_message
            named, refused = await self._reader.read(f"picture {ref.number}", data)
        return named if not refused else refused[0].message

    def _bytes(self, url: str) -> bytes:
        if url[:5].lower() == "data:":
            return decode_data_url(url, self._max_bytes)
        if url[:7].lower() == "http://" or url[:8].lower() == "https://":
            return self._hosts.fetch(url, self._max_bytes)
        raise PictureError(user_message="image_url must be a data: URL with base64, as in data:image/png;base64,….")


def decode_data_url(url: str, max_bytes: int) -> bytes:
    """The bytes in a base64 `data:` URL. The type that it names is not believed.

    Raises:
        PictureError: it is not base64, or cut off.
        PictureTooLarge: there are more than `max_bytes`; known before decoding.
    """
    head = _DATA_URL.match(url)
    if head is None or not head[1].lower().endswith(";base64"):
        raise PictureError(user_message="A data: URL must be of the form data:image/png;base64,….")
    # Four characters hold three bytes; line breaks are rare enough to count as characters.
    if (len(url) - head.end()) * 3 // 4 > max_bytes + max_bytes // 16 + 4:
        raise PictureTooLarge
    try:
        data = base64.b64decode(_SPACE.sub(b"", url[head.end() :].encode("ascii")), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise PictureError(user_message="Its base64 is broken or cut off.") from None
    if not data:
        raise PictureError(user_message="It is empty.")
    if len(data) > max_bytes:
        raise PictureTooLarge
    return data
