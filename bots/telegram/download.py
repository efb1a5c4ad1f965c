"""Fetching a file's bytes from the Bot API.

A file's address has the token in it. It is made of `TELEGRAM_API_URL` and the path that `getFile` tells, and redirects
are not followed, so the token goes to no other host.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from telegram import Bot
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter, TelegramError

from bots.telegram.refusals import error_code, retry_after_s
from core.errors import PictureError
from core.media.limits import too_large
from core.settings import MIB, Settings

# What Telegram's own server hands out; one of one's own with --local knows no limit.
CLOUD_LIMIT = 20 * MIB
DEADLINE_S = 60.0
TIMEOUT_S = 15.0
PAUSES_S = (0.5, 1.0, 2.0)
# Longer than this nobody waits for a picture.
_LONGEST_PAUSE_S = 20.0
_CHUNK = 64 * 1024
# Such as photos/file_0.jpg
_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
_AGAIN = {408, 425, 429, 500, 502, 503, 504}


class _Unavailable(PictureError):
    """It may work a moment later."""

    def __init__(self, detail: str, wait_s: float = 0.0) -> None:
        super().__init__(detail, user_message="Telegram did not hand it out in time. Please send it again.")
        self.wait_s = wait_s


class Downloader:
    """Fetches files by their id. `client` is closed by whoever opened it."""

    def __init__(self, settings: Settings, bot: Bot, client: httpx.AsyncClient) -> None:
        self._bot = bot
        self._client = client
        self._folder = settings.telegram_files_dir
        self.max_bytes = settings.picture_max_bytes
        if self._folder is None:
            self.max_bytes = min(self.max_bytes, CLOUD_LIMIT)
        token = settings.telegram_bot_token.get_secret_value()
        self._base = f"{settings.telegram_api_url}/file/bot{token}/"

    async def fetch(self, file_id: str, size: int = 0) -> bytes:
        """The bytes of a file; `size` is what Telegram said of it before. Tries again where that can help.

        Raises:
            PictureError: it cannot be had.
            PictureTooLarge: there are more bytes than allowed; nothing was fetched where that was known before.
        """
        if size > self.max_bytes:
            raise too_large(self.max_bytes)
        for pause in PAUSES_S:
            try:
                return await self._fetch(file_id)
            except _Unavailable as error:
                if error.wait_s > _LONGEST_PAUSE_S:
                    raise
                await asyncio.sleep(max(pause, error.wait_s))
        return await self._fetch(file_id)

    async def _fetch(self, file_id: str) -> bytes:
        path = await self._path(file_id)
        try:
            async with asyncio.timeout(DEADLINE_S):
                if self._folder is not None:
                    return await asyncio.to_thread(self._read, self._folder, path)
                return await self._get(path)
        except (httpx.HTTPError, TimeoutError) as error:
            # Not the error's own words: they quote the address.
            raise _Unavailable(type(error).__name__) from None

    async def _path(self, file_id: str) -> str:
        """What `getFile` tells: an address, or a path of the server's own disk."""
        try:
            file = await self._bot.get_file(file_id)
        except RetryAfter as error:
            raise _Unavailable("flood control", retry_after_s(error)) from None
        except BadRequest as error:
            said = str(error).lower()
            if "too big" in said:
                raise too_large(self.max_bytes, error_code(error)) from None
            if "temporarily unavailable" in said:
                raise _Unavailable(error_code(error)) from None
            raise PictureError(
                error_code(error), user_message="Telegram does not hand it out any more. Please send it again."
            ) from None
        except (Forbidden, InvalidToken) as error:
            raise PictureError(
                error_code(error), user_message="Telegram does not let me see it. Please tell your admin."
            ) from None
        except TelegramError as error:
            raise _Unavailable(error_code(error)) from None
        if not file.file_path:
            raise PictureError(user_message="Telegram does not hand it out any more. Please send it again.")
        if (file.file_size or 0) > self.max_bytes:
            raise too_large(self.max_bytes)
        return file.file_path

    async def _get(self, address: str) -> bytes:
        # The SDK puts the address together; what the server said of it is only the part behind ours.
        path = address.removeprefix(self._base)
        if path == address or not _PATH.fullmatch(path) or ".." in path:
            raise PictureError(
                "an address that is not the server's",
                user_message="Telegram's server keeps it where I cannot read it. Please tell your admin.",
            )
        async with self._client.stream("GET", self._base + path, follow_redirects=False) as response:
            if response.status_code in _AGAIN:
                raise _Unavailable(f"status {response.status_code}")
            if response.status_code != 200:
                raise PictureError(
                    f"status {response.status_code}",
                    user_message="Telegram does not hand it out any more. Please send it again.",
                )
            data = bytearray()
            async for chunk in response.aiter_bytes(_CHUNK):
                data += chunk
                if len(data) > self.max_bytes:
                    raise too_large(self.max_bytes)
            return bytes(data)

    def _read(self, folder: Path, path: str) -> bytes:
        """A file of a local server's, which nobody else may point elsewhere."""
        try:
            file = Path(path).resolve(strict=True)
            if not Path(path).is_absolute() or not file.is_relative_to(folder.resolve()):
                raise FileNotFoundError
            with file.open("rb") as opened:
                data = opened.read(self.max_bytes + 1)
        except OSError as error:
            raise PictureError(
                type(error).__name__,
                user_message="Telegram's server keeps it where I cannot read it. Please tell your admin.",
            ) from None
        if len(data) > self.max_bytes:
            raise too_large(self.max_bytes)
        return data


@asynccontextmanager
async def open_downloader(settings: Settings, bot: Bot) -> AsyncIterator[Downloader]:
    """A downloader with connections of its own. Proxies are those of the environment."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        yield Downloader(settings, bot, client)
