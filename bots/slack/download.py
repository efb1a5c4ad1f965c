"""Fetching a file's bytes from Slack."""

import asyncio

import aiohttp
from yarl import URL

from bots.slack.file_hosts import FileHosts
from core.errors import PictureError
from core.media.limits import too_large

MAX_REDIRECTS = 3
DEADLINE_S = 30.0
# A file may be announced a moment before it can be fetched.
PAUSES_S = (0.5, 1.0, 2.0)
_CHUNK = 64 * 1024
_HTML = (b"<!doctype html", b"<html")
_AGAIN = {404, 408, 425, 429, 500, 502, 503, 504}


class _Unavailable(PictureError):
    """It may work a moment later."""


class Downloader:
    """Fetches with the token of the workspace. One for a process; `session` is closed by whoever opened it."""

    def __init__(
        self, session: aiohttp.ClientSession, hosts: FileHosts, max_bytes: int, *, proxy: str | None = None
    ) -> None:
        self._session = session
        self._hosts = hosts
        self._max_bytes = max_bytes
        self._proxy = proxy

    async def fetch(self, url: str, token: str) -> bytes:
        """The bytes behind `url`. Tries again for some seconds where that can help.

        Raises:
            PictureError: it is not Slack's, cannot be had, or is a page instead of a file.
            PictureTooLarge: there are more bytes than allowed.
        """
        for pause in PAUSES_S:
            try:
                return await self._fetch(url, token)
            except _Unavailable:
                await asyncio.sleep(pause)
        return await self._fetch(url, token)

    async def _fetch(self, url: str, token: str) -> bytes:
        try:
            async with asyncio.timeout(DEADLINE_S):
                target = self._hosts.check(url)
                for _ in range(MAX_REDIRECTS + 1):
                    answer = await self._get(target, token)
                    if isinstance(answer, bytes):
                        return answer
                    target = answer
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _Unavailable(
                type(error).__name__, user_message="Slack did not hand it out in time. Please send it again."
            ) from error
        raise PictureError(user_message="Slack redirects too often. Please send it again.")

    async def _get(self, url: URL, token: str) -> bytes | URL:
        """The bytes, or where they are instead."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self._session.get(url, headers=headers, allow_redirects=False, proxy=self._proxy) as response:
            location = response.headers.get("location")
            if response.status in (301, 302, 303, 307, 308) and location:
                return self._hosts.check(location, url)
            if response.status in _AGAIN:
                raise _Unavailable(user_message=f"Slack answered {response.status}. Please send it again.")
            if response.status in (401, 403):
                raise _no_scope(f"status {response.status}")
            if response.status != 200:
                raise PictureError(user_message=f"Slack answered {response.status}. Please send it again.")
            data = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                data += chunk
                if len(data) > self._max_bytes:
                    raise too_large(self._max_bytes)
            if bytes(data[:256]).lstrip().lower().startswith(_HTML):
                raise _no_scope("a page")
            return bytes(data)


def _no_scope(detail: str) -> PictureError:
    # Slack shows its sign-in page, with status 200, to a token that may not read the file.
    return PictureError(
        detail,
        user_message="Slack sent its sign-in page instead of the file. An admin has to add the scope files:read to "
        "the app and install it again.",
    )
