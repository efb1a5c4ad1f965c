"""GET /oauth/v2/authorize: the page on which somebody installs the app, and the codes that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

_CODE_SECONDS = 600


@dataclass
class Code:
    """What somebody agreed to."""

    team_id: str
    user: str
    scopes: tuple[str, ...]
    redirect_uri: str
    until: float


class OAuth:
    """Installation. `rotates`: tokens live twelve hours and come with a refresh token. `refused`: the next visitor
    presses Cancel. `installer`: (team, user) of who stands before the page."""

    def __init__(self, fake: FakeSlack) -> None:
        self._fake = fake
        self.codes: dict[str, Code] = {}
        self.refresh: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.rotates = False
        self.refused = False
        self.installer: tuple[str, str] = ("", "")

    def routes(self) -> list[web.RouteDef]:
        """For the server."""
        return [web.get("/oauth/v2/authorize", self.authorize)]

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """Agrees at once, and sends the browser back with a code and the state."""
        query = request.query
        if query.get("client_id") != self._fake.client_id:
            return web.Response(text="Something went wrong: invalid_client_id", status=200)
        back = query.get("redirect_uri") or self._fake.redirect_uri
        if not back:
            return web.Response(text="Something went wrong: bad_redirect_uri", status=200)
        answer = {"state": query["state"]} if "state" in query else {}
        if self.refused:
            raise web.HTTPFound(f"{back}?{urlencode(answer | {'error': 'access_denied'})}")
        scopes = tuple(name for name in query.get("scope", "").split(",") if name)
        if not scopes:
            return web.Response(text="Something went wrong: no_scopes", status=200)
        with self._fake.lock:
            team, user = self.installer
            code = self._fake.world.ids("code")
            until = self._fake.world.clock.now() + _CODE_SECONDS
            self.codes[code] = Code(team, user, scopes, query.get("redirect_uri", ""), until)
        raise web.HTTPFound(f"{back}?{urlencode(answer | {'code': code})}")
