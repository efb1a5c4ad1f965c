"""A proxy in front of a real OpenAI-compatible server, which can do to a request what networks and servers do.

What the real server never says (most statuses, other servers' fields) the proxy says in its place. It remembers what
it received.
"""

import asyncio
import json
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

# Answers a chat request; the second argument gives the real server's stream, event by event.
Events = AsyncIterator[bytes]
Fault = Callable[["FaultProxy", dict[str, Any]], Awaitable[Response]]


class FaultProxy:
    """The chat requests that come are answered by `faults`, one each, and by the real server when there are none."""

    def __init__(self, upstream: str) -> None:
        self.faults: deque[Fault] = deque()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.models: list[dict[str, Any]] | None = None
        self.models_status = 200
        self.on_list: Callable[[], None] = lambda: None
        self.props: dict[str, Any] = {}
        # How many chat requests are here now, and the most that were at once.
        self.inside = 0
        self.most_inside = 0
        # Set when a client went away before its stream ended.
        self.left = threading.Event()
        self.url = ""
        self._upstream = upstream

    async def chat(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        response = await (self.faults.popleft() if self.faults else forwarded)(self, body)
        if isinstance(response, StreamingResponse):
            response.body_iterator = self._counted(response.body_iterator)
        else:
            self.inside -= 1
        return response

    async def real(self, body: dict[str, Any]) -> AsyncIterator[httpx.Response]:
        """The real server's answer, once; its connection ends with the iterator."""
        async with httpx.AsyncClient(timeout=60.0, trust_env=False) as client:
            async with client.stream("POST", f"{self._upstream}/v1/chat/completions", json=body) as response:
                yield response

    async def list(self, request: Request) -> Response:
        if self.models is None:
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.get(f"{self._upstream}/v1/models")
            return Response(answer.content, answer.status_code)
        self.on_list()
        return JSONResponse({"object": "list", "data": self.models}, self.models_status)

    async def say_props(self, request: Request) -> Response:
        return JSONResponse(self.props)

    async def _counted(self, events: Any) -> AsyncIterator[bytes]:
        whole = False
        try:
            async for event in events:
                yield event
            whole = True
        finally:
            self.inside -= 1
            if not whole:
                self.left.set()


async def forwarded(proxy: FaultProxy, body: dict[str, Any]) -> Response:
    """Nothing is wrong."""
    return await changed(lambda events: events)(proxy, body)


def changed(change: Callable[[Events], Events]) -> Fault:
    """The real server's stream, changed."""

    async def answer(proxy: FaultProxy, body: dict[str, Any]) -> Response:
        responses = proxy.real(body)
        response = await anext(responses)
        if response.status_code != 200:
            content = await response.aread()
            await responses.aclose()  # type: ignore[attr-defined]
            return Response(content, response.status_code, media_type=response.headers["content-type"])

        async def stream() -> AsyncIterator[bytes]:
            try:
                async for event in change(_events(response)):
                    yield event
            finally:
                await responses.aclose()  # type: ignore[attr-defined]

        return StreamingResponse(stream(), media_type="text/event-stream")

    return answer


async def _events(response: httpx.Response) -> AsyncIterator[bytes]:
    async for line in response.aiter_lines():
        if line:
            yield f"{line}\n\n".encode()


def cut(after: int, *, reset: bool = False) -> Fault:
    """Ends after so many events of the stream; with `reset` as a connection ends whose server was killed."""

    async def change(events: Events) -> Events:
        seen = 0
        async for event in events:
            if seen == after:
                if reset:
                    raise ConnectionResetError("on purpose")
                return
            seen += 1
            yield event

    return changed(change)


def garbled(at: int) -> Fault:
    """One event of the stream is no JSON."""

    async def change(events: Events) -> Events:
        seen = 0
        async for event in events:
            yield b'data: {"choices": [{"delta"\n\n' if seen == at else event
            seen += 1

    return changed(change)


def held(until: threading.Event, *, before: int = 0) -> Fault:
    """Nothing more comes after `before` events until the event is set, by another thread."""

    async def change(events: Events) -> Events:
        seen = 0
        async for event in events:
            if seen == before:
                await asyncio.to_thread(until.wait)
            seen += 1
            yield event

    return changed(change)


def status(code: int, body: Any = None, **headers: str) -> Fault:
    """Another answer than the real server's. Text is sent as it is, anything else as JSON."""

    async def answer(proxy: FaultProxy, _: dict[str, Any]) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, str):
            return Response(body, code, named)
        return JSONResponse(body, code, named)

    return answer


def saying(*chunks: dict[str, Any], until: threading.Event | None = None) -> Fault:
    """A stream of another server: each chunk is the first choice, or a whole chunk if it has `choices`.

    Its last chunk comes when `until` is set.
    """

    async def answer(proxy: FaultProxy, _: dict[str, Any]) -> Response:
        async def stream() -> AsyncIterator[bytes]:
            for number, chunk in enumerate(chunks, start=1):
                if until is not None and number == len(chunks):
                    await asyncio.to_thread(until.wait)
                whole = chunk if {"choices", "error"} & chunk.keys() else {"choices": [{"index": 0, **chunk}]}
                yield f"data: {json.dumps({'object': 'chat.completion.chunk', **whole})}\n\n".encode()
            yield b"data: [DONE]\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    return answer


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A running proxy in front of the server at `upstream`."""
    proxy = FaultProxy(upstream)
    routes = [
        Route("/v1/chat/completions", proxy.chat, methods=["POST"]),
        Route("/v1/models", proxy.list),
        Route("/props", proxy.say_props),
    ]
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    # From now on connections wait, even if uvicorn is not up yet.
    listener.listen(128)
    # Uvicorn logs what is broken on purpose, and restores no handlers.
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off"))
    proxy.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join()
        listener.close()
