"""/bot<token>/<method>: who calls, with what, and what comes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes.telegram.arguments import METHODS, Method, Upload, read_arguments
from tests.fakes.telegram.checks import check_result
from tests.fakes.telegram.faults import Fault
from tests.fakes.telegram.methods import HANDLERS
from tests.fakes.telegram.refusal import Refusal, flood
from tests.fakes.telegram.state import Json

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

# These bring no message into a chat, so flood control is not said to count them.
_SENDING = {
    *("sendmessage", "sendphoto", "senddocument", "sendmediagroup", "sendrichmessage", "editmessagetext"),
    *("editmessagecaption", "editmessagemedia", "editmessagereplymarkup"),
}
_DRAFTS = {"sendmessagedraft", "sendrichmessagedraft"}
_UPLOAD_LIMIT = 50 * 2**20
# What a server older than Bot API 10.3 does not know, and passes over.
_STOP = ("can_stop", "keep_on_stop")


@dataclass
class Call:
    """One call as it came. `error`: the description of its refusal, "http 502" and "dropped" among them; "" when it was
    answered well. `done`: it had its effect."""

    method: str
    arguments: Json
    at: float
    ok: bool = False
    done: bool = False
    error: str = ""
    code: int = 0
    result: Any = None
    uploads: list[str] = field(default_factory=list)

    @property
    def chat(self) -> int | None:
        """The chat's id, None for none."""
        try:
            return int(self.arguments["chat_id"])
        except (KeyError, ValueError):
            return None


class Api:
    """All methods behind one address."""

    def __init__(self, fake: FakeTelegram) -> None:
        self._fake = fake

    def routes(self) -> list[web.RouteDef]:
        """For the server."""
        return [web.route("*", "/bot{token}/{method}", self.answer)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One call, from its bytes to its answer."""
        fake, name = self._fake, request.match_info["method"]
        if request.match_info["token"] != fake.bot_token:
            known = ":" in request.match_info["token"]
            return _refused(Refusal("Unauthorized", 401) if known else Refusal("Not Found", 404))
        given = await _body(request)
        call = Call(name, {n: v for n, v in given.items() if not isinstance(v, Upload)}, fake.clock.now())
        call.uploads = [n for n, v in given.items() if isinstance(v, Upload)]
        with fake.lock:
            fake.calls.append(call)
            fault = fake.faults.next(name, call.chat)
        fake.changed()
        try:
            if fake.logged_out:
                raise Refusal("Logged out")
            ended = await self._before(request, call, fault) if fault is not None else None
            if ended is not None:
                return ended
            result = await self._done(call, name, given)
        except Refusal as refusal:
            call.error, call.code = refusal.description, refusal.code
            if refusal.fault:
                fake.violation(f"{name}: {refusal.fault} ({refusal})")
            fake.changed()
            return _refused(refusal)
        except Exception as error:
            # The caller sees a server that fails; the test must see that it is the fake.
            call.error, call.code = "http 500", 500
            fake.violation(f"{name}: the fake itself failed: {error!r}")
            raise
        call.done, call.result = True, result
        fake.changed()
        if fault is not None and fault.kind == "late" and fault.gate is not None:
            await fault.gate.passed()
        if fault is not None and fault.kind == "lost":
            return self._cut(request, call, "lost")
        call.ok, call.code = True, 200
        fake.changed()
        return web.json_response({"ok": True, "result": result})

    async def _before(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse | None:
        """What befalls a call before anything is done.

        Raises:
            Refusal: as ordered.
        """
        if fault.refusal is not None:
            raise fault.refusal
        if fault.kind == "dropped":
            return self._cut(request, call, "dropped")
        if fault.kind == "broken":
            call.error, call.code = f"http {fault.status}", fault.status
            self._fake.changed()
            return web.Response(status=fault.status, text="<html><body>Bad Gateway</body></html>")
        if fault.kind == "held" and fault.gate is not None:
            await fault.gate.passed()
        return None

    def _cut(self, request: web.Request, call: Call, why: str) -> web.Response:
        call.error = why
        self._fake.changed()
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _done(self, call: Call, name: str, given: Json) -> Any:
        """The result of a call that does what it should.

        Raises:
            Refusal: it is refused.
        """
        fake, low = self._fake, name.lower()
        method = METHODS.get(low)
        if method is None:
            raise Refusal("Not Found", 404, fault=f"no method {name}")
        if low in fake.unknown_methods:
            raise Refusal("Not Found", 404)
        if low in _DRAFTS and not fake.knows_stop:
            given = {n: v for n, v in given.items() if n not in _STOP}
        if low == "getupdates":
            return await fake.updates.poll(read_arguments(method, given))
        with fake.lock:
            arguments = self._arguments(method, given)
            self._flood(low, arguments, call)
            result = HANDLERS[low](fake, arguments)
            check_result(low, result)
        return result

    def _arguments(self, method: Method, given: Json) -> Json:
        attached = {name: value for name, value in given.items() if isinstance(value, Upload)}
        if any(len(upload.content) > _UPLOAD_LIMIT for upload in attached.values()) and not self._fake.local:
            raise Refusal("Request Entity Too Large", 413, fault="an upload of more than 50 MB")
        # Files that another argument names with attach://.
        plain = {name: value for name, value in given.items() if name in method.arguments or name not in attached}
        arguments = read_arguments(method, plain)
        arguments["attached"] = attached
        return arguments

    def _flood(self, low: str, arguments: Json, call: Call) -> None:
        """Raises:
        Refusal: 429.
        """
        limits = self._fake.limits
        if low not in _SENDING and not (low in _DRAFTS and limits.drafts):
            return
        connection = arguments.get("business_connection_id", "")
        found = self._fake.world.chats.get((connection, arguments.get("chat_id", 0)))
        if found is None:
            return
        count = len(arguments.get("media", [])) or 1
        if wait := limits.wait(call.method, found.id, group=found.group, now=call.at, count=count):
            raise flood(wait)


async def _body(request: web.Request) -> Json:
    """The arguments, from the address, a form or JSON; files as `Upload`."""
    given: Json = dict(request.query)
    if request.content_type == "application/json":
        raw = await request.text()
        read = json.loads(raw) if raw else {}
        return given | (read if isinstance(read, dict) else {})
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            given[name] = Upload(value.filename, value.file.read(), value.content_type)
        else:
            given[name] = value
    return given


def _refused(refusal: Refusal) -> web.Response:
    headers = {"Retry-After": str(refusal.parameters["retry_after"])} if "retry_after" in refusal.parameters else {}
    return web.json_response(refusal.as_json(), status=refusal.code, headers=headers)
