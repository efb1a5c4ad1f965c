"""Where files lie: Slack's own host, with its login page, and a foreign one that must never see a token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from tests.fakes.downloads import half, slowly

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

LOGIN_PAGE = (
    '<!DOCTYPE html><html lang="en-US"><head><title>Sign in to your workspace | Slack</title></head>'
    '<body><form id="signin_form" action="/" method="post"></form></body></html>'
)
_PRIVATE = re.compile(r"/files-pri/(T\w+)-(F\w+)/(?:download/)?[^/]+")
_THUMB = re.compile(r"/files-tmb/(T\w+)-(F\w+)-0/.*_(\d+)\.png")


@dataclass
class Fetch:
    """One download. `authorised`: with a token that may read files. `token`: the one that came, "" for none."""

    host: str
    path: str
    file: str
    authorised: bool
    token: str


class Files:
    """Slack's host: downloads and uploads."""

    def __init__(self, fake: FakeSlack) -> None:
        self._fake = fake

    def routes(self) -> list[web.RouteDef]:
        """For the server."""
        return [
            web.get("/files-pri/{tail:.*}", self.private),
            web.get("/files-tmb/{tail:.*}", self.thumb),
            web.get("/moved/{file}", self.moved),
            web.post("/upload/v1/{file}", self.upload),
        ]

    def _seen(self, request: web.Request, file: str) -> bool:
        """Records it. Returns: whether the token may read the file."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with self._fake.lock:
            grant, stored = self._fake.world.grants.get(token), self._fake.world.files.get(file)
            allowed = grant is not None and "files:read" in grant.scopes
            if stored is None or grant is None or not self._fake.world.sees(grant.team_id, stored):
                allowed = False
            self._fake.fetches.append(Fetch("slack", request.path, file, allowed, token))
        self._fake.changed()
        return allowed

    async def private(self, request: web.Request) -> web.StreamResponse:
        """url_private and url_private_download, as the file is told to answer."""
        found = _PRIVATE.fullmatch(request.path)
        file = self._fake.world.files.get(found[2]) if found else None
        if not self._seen(request, found[2] if found else "") or file is None or file.download == "login":
            return _login()
        if file.deleted or file.download == "gone":
            return web.Response(status=404, text="Not found")
        if file.download == "error":
            return web.Response(status=500, text="Internal error")
        if file.download == "wrong":
            return web.Response(body=LOGIN_PAGE.encode(), content_type=file.media_type)
        if file.download == "redirect":
            raise web.HTTPFound(f"{self._fake.foreign_url}/cdn/{file.id}")
        if file.download == "redirect_home":
            raise web.HTTPFound(f"{self._fake.url}/moved/{file.id}")
        if file.download == "whole":
            return web.Response(body=file.content, content_type=file.media_type)
        if file.download == "slow":
            return await slowly(request, file.content, file.media_type, self._fake.pause)
        return await half(request, file.content, file.media_type, file.download, self._fake.stopping)

    async def moved(self, request: web.Request) -> web.StreamResponse:
        """Where redirect_home leads: the token is still needed."""
        file = self._fake.world.files.get(request.match_info["file"])
        if not self._seen(request, request.match_info["file"]) or file is None:
            return _login()
        return web.Response(body=file.content, content_type=file.media_type)

    async def thumb(self, request: web.Request) -> web.StreamResponse:
        """thumb_64 to thumb_1024. They answer well also where the file itself does not."""
        found = _THUMB.fullmatch(request.path)
        file = self._fake.world.files.get(found[2]) if found else None
        if not self._seen(request, found[2] if found else "") or file is None or found is None:
            return _login()
        try:
            return web.Response(body=file.thumb(int(found[3])), content_type="image/png")
        except (KeyError, OSError):
            # Also of a picture whose beginning alone can be read.
            return web.Response(status=404, text="Not found")

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """The second step of an upload: the bytes as they are, or as the one part of a form."""
        file = self._fake.uploads.get(request.match_info["file"])
        if file is None:
            return web.Response(status=404, text="Not found")
        if request.content_type.startswith("multipart/"):
            reader = await request.multipart()
            part = await reader.next()
            content = await part.read() if part is not None and hasattr(part, "read") else b""
            content = bytes(content)
        else:
            content = await request.read()
        if len(content) != file.size:
            self._fake.violation(f"upload of {len(content)} bytes where {file.size} were announced")
            return web.Response(status=400, text="Incorrect length")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")


class Foreign:
    """Any other host. It has every file that Slack's host redirects to, and writes down what it is sent."""

    def __init__(self, fake: FakeSlack) -> None:
        self._fake = fake

    def routes(self) -> list[web.RouteDef]:
        """For the server."""
        return [web.get("/{tail:.*}", self.answer)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The bytes, and a violation when a token came along."""
        name = request.path.rpartition("/")[2]
        token = request.headers.get("Authorization", "")
        with self._fake.lock:
            self._fake.fetches.append(Fetch("foreign", request.path, name, False, token.removeprefix("Bearer ")))
            secret = next((grant for grant in self._fake.world.grants if grant in f"{token} {request.path_qs}"), "")
            secret = secret or next((g for g in self._fake.world.grants if g in str(request.headers)), "")
        if secret:
            self._fake.violation(f"a token was sent to a host that is not Slack's: {request.path}")
        self._fake.changed()
        file = self._fake.world.files.get(name)
        content = self._fake.foreign_files.get(name, file.content if file else None)
        if content is None:
            return web.Response(status=404, text="Not found")
        return web.Response(body=content, content_type="application/octet-stream")


def _login() -> web.Response:
    return web.Response(text=LOGIN_PAGE, content_type="text/html")
