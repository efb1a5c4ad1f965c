"""POST and GET /api/<method>: who calls, with what, and what comes of it."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes.slack.arguments import METHODS, Method, read_arguments
from tests.fakes.slack.faults import Fault
from tests.fakes.slack.methods import HANDLERS
from tests.fakes.slack.methods.content import need_scope
from tests.fakes.slack.methods.installation import check_client
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.state import Grant, Json
from tests.fakes.slack.world import Caller

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

_APP_METHODS = ("apps.connections.open", "auth.test", "api.test")


@dataclass
class Call:
    """One call as it came. `error`: the code that it was refused with, "ratelimited" and "http_503" among them."""

    method: str
    arguments: Json
    token: str
    at: float
    ok: bool = False
    error: str = ""
    answer: Json = field(default_factory=dict)


class Api:
    """All methods behind one address."""

    def __init__(self, fake: FakeSlack) -> None:
        self._fake = fake

    def routes(self) -> list[web.RouteDef]:
        """For the server."""
        return [web.route("*", "/api/{method}", self.answer)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One call, from its bytes to its answer."""
        name = request.match_info["method"]
        given = await _body(request)
        token = str(given.pop("token", "") or "")
        header = request.headers.get("Authorization", "")
        if header.startswith("Bearer "):
            token = header[7:]
        if "token" in request.query:
            self._fake.violation(f"{name}: the token stands in the address, where every log keeps it")
        call = Call(name, dict(given), token, self._fake.world.clock.now())
        with self._fake.lock:
            self._fake.calls.append(call)
            fault = self._fake.faults.next(name)
            wait = self._fake.tiers.wait(name, token, str(given.get("channel", "")), call.at)
        self._fake.changed()
        if wait and fault is None:
            fault = Fault("limited", 0, retry_after=wait)
        if fault is not None and fault.kind == "limited":
            return self._finish(
                call, {"ok": False, "error": "ratelimited"}, 429, {"Retry-After": f"{fault.retry_after}"}
            )
        if fault is not None and fault.kind == "broken":
            call.error = f"http_{fault.status}"
            self._fake.changed()
            return web.Response(status=fault.status, text="upstream connect error")
        if fault is not None and fault.kind == "refused":
            return self._finish(call, {"ok": False, "error": fault.code}, 200, {})
        if fault is not None and fault.gate is not None:
            await fault.gate.passed()
        body, headers = self._done(call, name, given, header)
        if fault is not None and fault.kind == "lost":
            self._finish(call, body, 200, headers)
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return self._finish(call, body, 200, headers)

    def _finish(self, call: Call, body: Json, status: int, headers: dict[str, str]) -> web.Response:
        call.ok, call.error, call.answer = bool(body["ok"]), str(body.get("error", "")), body
        self._fake.changed()
        return web.json_response(body, status=status, headers=headers)

    def _done(self, call: Call, name: str, given: Json, header: str) -> tuple[Json, dict[str, str]]:
        """The answer's body and headers."""
        headers = {"x-slack-req-id": self._fake.world.ids("R")}
        with self._fake.lock:
            try:
                method = METHODS.get(name)
                if method is None:
                    raise Refusal("unknown_method", fault="not a method that the fake knows", req_method=name)
                caller = self._caller(method, call, header, given)
                headers |= {"x-oauth-scopes": ",".join(caller.grant.scopes)}
                if method.scope:
                    headers["x-accepted-oauth-scopes"] = method.scope.removeprefix("*:")
                arguments, unknown = read_arguments(method, given)
                for argument in unknown:
                    if argument != "team_id":
                        self._fake.violation(f"{name}: unknown argument {argument}")
                body: Json = {"ok": True}
                body |= HANDLERS[name](self._fake, caller, arguments)
            except Refusal as refusal:
                if refusal.fault:
                    self._fake.violation(f"{name}: {refusal}")
                body = {"ok": False, "error": refusal.code} | refusal.extra
        return body, headers

    def _caller(self, method: Method, call: Call, header: str, given: Json) -> Caller:
        """Raises:
        Refusal: not_authed, invalid_auth, token_expired, not_allowed_token_type, missing_scope, …
        """
        fake = self._fake
        if method.name == "oauth.v2.access":
            client_id, secret = _basic(header)
            check_client(fake, client_id or given.get("client_id", ""), secret or given.get("client_secret", ""))
            return Caller(Grant("", "app", "", ()), next(iter(fake.world.workspaces.values())))
        if not call.token:
            raise Refusal("not_authed")
        grant = fake.world.grants.get(call.token)
        if grant is None:
            raise Refusal("invalid_auth")
        if grant.expires is not None and grant.expires < fake.world.clock.now():
            raise Refusal("token_expired")
        if grant.kind == "app" and method.name not in _APP_METHODS:
            raise Refusal("not_allowed_token_type")
        workspace = fake.world.workspaces.get(grant.team_id) or next(iter(fake.world.workspaces.values()))
        caller = Caller(grant, workspace)
        if method.scope and not method.scope.startswith("*:"):
            need_scope(caller, method.scope)
        return caller


async def _body(request: web.Request) -> Json:
    """The arguments, from the address, a form or JSON."""
    given: Json = dict(request.query)
    kind = request.content_type
    if kind == "application/json":
        raw = await request.text()
        read: Any = json.loads(raw) if raw else {}
        if isinstance(read, dict):
            given |= read
    else:
        given |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return given


def _basic(header: str) -> tuple[str, str]:
    """The client's id and secret of an Authorization header."""
    if not header.startswith("Basic "):
        return "", ""
    try:
        name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret
