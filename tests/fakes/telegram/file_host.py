"""/file/bot<token>/<file_path>: downloads, whole and broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from tests.fakes.downloads import half, slowly

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

# Telegram says no more of any file.
_ANY = "application/octet-stream"


@dataclass(frozen=True)
class Fetch:
    """One download. `status`: HTTP's; 200 also for one that was cut off. `authorised`: with the bot's token."""

    path: str
    status: int
    authorised: bool


class FileHost:
    """Serves what getFile gave a path for."""

    def __init__(self, fake: FakeTelegram) -> None:
        self._fake = fake

    def routes(self) -> list[web.RouteDef]:
        """For the server."""
        return [web.get("/file/bot{token}/{path:.+}", self.answer)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The bytes, as the file is told to answer."""
        path = request.match_info["path"]
        authorised = request.match_info["token"] == self._fake.bot_token
        with self._fake.lock:
            file = self._fake.paths.get(path) if authorised else None
        gone = file is None or file.download == "gone" or file.expires < self._fake.clock.now()
        status = 404 if gone else (500 if file is not None and file.download == "error" else 200)
        with self._fake.lock:
            self._fake.fetches.append(Fetch(path, status if authorised else 401, authorised))
        self._fake.changed()
        if not authorised:
            return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        if status != 200 or file is None:
            text = "Not Found" if status == 404 else "Internal Server Error"
            return web.json_response({"ok": False, "error_code": status, "description": text}, status=status)
        if file.download == "wrong":
            return web.Response(body=b"<!DOCTYPE html><html><body>Sign in</body></html>")
        if file.download == "slow":
            return await slowly(request, file.content, _ANY, self._fake.pause)
        if file.download in ("truncated", "reset", "hang"):
            return await half(request, file.content, _ANY, file.download, self._fake.stopping)
        return web.Response(body=file.content, content_type=_ANY)
