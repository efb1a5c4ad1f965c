"""The pictures of a request: decoded or fetched, made safe, or the whole request refused."""

import asyncio
import base64
import binascii
import re

from bots.web.openai_api.fetcher import Fetcher
from bots.web.openai_api.messages import PictureRef
from core.conversation.inbound import Named
from core.errors import PictureError, WrongParameter
from core.media.limits import too_large
from core.settings import Settings
from serving.picture_reader import PictureReader
from serving.shares import Shares

# Files of one person whose bytes are here or on their way.
AT_ONCE = 4
_DATA_URL = re.compile(r"data:([^,]{0,200}),", re.IGNORECASE)
_SPACE = re.compile(rb"[ \t\r\n]+")


class PictureSource:
    """Turns references into safe pictures."""

    def __init__(self, settings: Settings, reader: PictureReader, fetcher: Fetcher) -> None:
        self._max_bytes = settings.picture_max_bytes
        self._reader = reader
        self._fetcher = fetcher
        self._shares = Shares(AT_ONCE)

    async def read(self, refs: list[PictureRef], person: str) -> dict[int, tuple[Named, ...]]:
        """The pictures behind each reference, by its number (a PDF has several). `person`: whose share they cost.

        A program cannot see that a picture was left out, so one unreadable picture refuses them all, and the others
        are not read any more.

        Raises:
            WrongParameter: naming the one that cannot be used and why.
        """
        tasks = [asyncio.create_task(self._one(ref, person)) for ref in refs]
        try:
            return dict(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, ref: PictureRef, person: str) -> tuple[int, tuple[Named, ...]]:
        async with self._shares.one_of(person):
            try:
                data = await self._bytes(ref.url)
            except PictureError as error:
                raise _unusable(ref, error.user_message) from error
            named, refused = await self._reader.read(person, f"picture {ref.number}", data)
        if refused:
            raise _unusable(ref, refused[0].message)
        return ref.number, tuple(named)

    async def _bytes(self, url: str) -> bytes:
        if url[:5].lower() == "data:":
            return await asyncio.to_thread(decode_data_url, url, self._max_bytes)
        if url[:7].lower() == "http://" or url[:8].lower() == "https://":
            return await self._fetcher.fetch(url, self._max_bytes)
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
        raise too_large(max_bytes)
    try:
        data = base64.b64decode(_SPACE.sub(b"", url[head.end() :].encode("ascii")), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise PictureError(user_message="Its base64 is broken or cut off. Encode the whole file again.") from None
    if not data:
        raise PictureError(user_message="It is empty. Send the bytes of a picture.")
    if len(data) > max_bytes:
        raise too_large(max_bytes)
    return data


def _unusable(ref: PictureRef, why: str) -> WrongParameter:
    return WrongParameter(ref.where, f"Picture {ref.number} ({ref.where}): {why}")
