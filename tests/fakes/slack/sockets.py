"""Socket Mode: connections that the app opens, and the envelopes that go down them."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from aiohttp import WSMsgType, web

from tests.fakes.slack.state import Json

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

MOST_CONNECTIONS = 10


@dataclass(eq=False)
class Connection:
    """One websocket. `greeted`: it got its hello, so that envelopes may go down it. `leaving`: it was told to go."""

    socket: web.WebSocketResponse
    request: web.Request
    greeted: bool = False
    leaving: bool = False
    pongs: int = 0


@dataclass
class Sockets:
    """All connections of the app. Everything but the fields runs in the fake's loop.

    `wedged`: what connects is accepted, and then nothing answers: no hello, no pong, no event.
    """

    fake: FakeSlack
    wedged: bool = False
    connections: list[Connection] = field(default_factory=list)
    opened: int = 0
    _tickets: set[str] = field(default_factory=set)
    _acks: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    _late: set[str] = field(default_factory=set)
    _turn: itertools.count[int] = field(default_factory=itertools.count)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def routes(self) -> list[web.RouteDef]:
        """For the server."""
        return [web.get("/link", self.serve)]

    def ticket(self) -> str:
        """An address to connect to."""
        ticket = uuid.uuid4().hex
        self._tickets.add(ticket)
        return f"{self.fake.url.replace('http', 'ws', 1)}/link?ticket={ticket}&app_id={self.fake.app_id}"

    @property
    def ready(self) -> list[Connection]:
        """Those that an envelope can go down."""
        if self.wedged:
            return []
        return [c for c in self.connections if c.greeted and not c.leaving and not c.socket.closed]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection, until it ends."""
        if request.query.get("ticket") not in self._tickets:
            return web.Response(status=403)
        # Pongs are written here, so that a wedged connection can leave them out.
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        connection = Connection(socket, request)
        self.connections.append(connection)
        self.opened += 1
        try:
            if len(self.connections) > MOST_CONNECTIONS:
                await socket.send_json(_goodbye("too_many_websockets"))
                return socket
            if not self.wedged:
                await self._greet(connection)
            async for message in socket:
                if message.type is WSMsgType.PING and not self.wedged:
                    connection.pongs += 1
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    self._acknowledged(message.data)
        except ConnectionError:
            pass  # The client went away in the middle of something.
        finally:
            self.connections.remove(connection)
            self.fake.changed()
        return socket

    async def _greet(self, connection: Connection) -> None:
        await connection.socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self.connections),
                "debug_info": {"host": "applink-1", "build_number": 1, "approximate_connection_time": 18060},
                "connection_info": {"app_id": self.fake.app_id},
            }
        )
        connection.greeted = True
        self._arrived.set()
        self.fake.changed()

    def _acknowledged(self, text: str) -> None:
        try:
            read = json.loads(text)
            envelope, extra = read["envelope_id"], set(read) - {"envelope_id", "payload"}
        except (json.JSONDecodeError, KeyError, TypeError):
            self.fake.violation(f"sent over the websocket, and no acknowledgement: {text}")
            return
        if extra:
            self.fake.violation(f"fields in an acknowledgement: {sorted(extra)}")
        waiting = self._acks.pop(envelope, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(read.get("payload") or {})
        elif envelope not in self._late and not (waiting is not None and waiting.cancelled()):
            # Cancelled: its time ran out a moment ago, and who waited has not noted it yet.
            self.fake.violation(f"an envelope acknowledged that is not waiting: {envelope}")

    async def deliver(self, kind: str, payload: Json, attempt: int, reason: str, timeout: float) -> Json:
        """Sends one envelope down one of the connections and waits for its acknowledgement.

        Returns: the payload of the acknowledgement.

        Raises:
            TimeoutError: none came in `timeout` seconds, or there is no connection.
        """
        envelope = str(uuid.uuid4())
        message: Json = {"type": kind, "envelope_id": envelope, "payload": payload}
        message["accepts_response_payload"] = kind != "events_api"
        if kind == "events_api":
            message |= {"retry_attempt": attempt, "retry_reason": reason}
        async with asyncio.timeout(timeout):
            while not (ready := self.ready):
                self._arrived.clear()
                await self._arrived.wait()
            connection = ready[next(self._turn) % len(ready)]
            acknowledged: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
            self._acks[envelope] = acknowledged
            try:
                await connection.socket.send_json(message)
                return await acknowledged
            except ConnectionError:
                raise TimeoutError from None
            finally:
                self._acks.pop(envelope, None)
                self._late.add(envelope)

    async def ask_to_leave(self, reason: Literal["refresh_requested", "warning", "link_disabled"]) -> None:
        """The disconnect message: connect anew, this one will end. Nothing more goes down the old ones."""
        for connection in list(self.connections):
            if reason != "warning":
                connection.leaving = True
            await connection.socket.send_json(_goodbye(reason))

    async def abort(self) -> None:
        """All connections end without a word."""
        for connection in list(self.connections):
            connection.leaving = True
            if connection.request.transport is not None:
                connection.request.transport.abort()

    async def wedge(self) -> None:
        """From now on nothing answers, on old connections and new ones."""
        self.wedged = True

    async def mend(self) -> None:
        """Answers again; who waits for his hello gets it."""
        self.wedged = False
        for connection in self.connections:
            if not connection.greeted and not connection.socket.closed:
                await self._greet(connection)
        self._arrived.set()

    async def close(self) -> None:
        """At the end."""
        for connection in list(self.connections):
            await connection.socket.close()


def _goodbye(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "wss-111.slack.com"}}
