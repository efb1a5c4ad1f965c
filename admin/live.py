"""/turns/ID/events: an answer while it is written, as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from admin.console import Console
from admin.filters import is_id
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Permission
from core.errors import GlimtError, NotFound
from core.queue.follow import FIRST, Ended, FollowEvent, Reset, Retrying, Text, Waiting
from serving.sse import EventStream, encode_event

# How long a session that was ended goes on seeing an answer, at most.
LOOK_AGAIN_S = 1.0


def add_live(routes: Routes, console: Console) -> None:
    """Add the one route that is followed."""
    store, hub, door = console.services.store, console.services.hub, console.door

    def may_read(viewer: Viewer, turn_id: str) -> bool:
        with store.read() as repositories:
            return repositories.review(viewer.scope).turn(turn_id) is not None

    async def follow(viewer: Viewer, turn_id: str, after: str) -> AsyncGenerator[bytes, None]:
        looked_at = monotonic()
        async with aclosing(hub.follow(turn_id, after)) as events:
            coming = asyncio.create_task(_next(events))
            try:
                while True:
                    await asyncio.wait((coming,), timeout=LOOK_AGAIN_S)
                    if monotonic() - looked_at >= LOOK_AGAIN_S:
                        if not await asyncio.to_thread(door.still_open, viewer.token_hash):
                            yield encode_event("over", {})
                            return
                        looked_at = monotonic()
                    if not coming.done():
                        continue
                    event = coming.result()
                    if event is None:
                        return
                    yield _encoded(event)
                    coming = asyncio.create_task(_next(events))
            finally:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)

    async def told(viewer: Viewer, turn_id: str, after: str) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(follow(viewer, turn_id, after)) as events:
                async for event in events:
                    yield event
        except GlimtError:
            # The turn was erased, or SQL is away: what there is to see, a new look at the page tells.
            yield encode_event("over", {})

    @routes.guarded("GET", "/turns/{id}/events", Permission.READ, counts=False)
    async def live(request: Request, viewer: Viewer) -> Response:
        turn_id = request.path_params["id"]
        if not (is_id(turn_id) and await asyncio.to_thread(may_read, viewer, turn_id)):
            raise NotFound
        return EventStream(told(viewer, turn_id, request.headers.get("last-event-id", FIRST)))


async def _next(events: AsyncGenerator[FollowEvent, None]) -> FollowEvent | None:
    return await anext(events, None)


def _encoded(event: FollowEvent) -> bytes:
    """The event as the page knows it; its script asks for the turn again at the end."""
    match event:
        case Text(cursor, text, kind):
            return encode_event("text", {"kind": kind, "text": text}, cursor)
        case Reset(cursor):
            return encode_event("reset", {}, cursor)
        case Retrying(cursor, message):
            return encode_event("retry", {"message": message}, cursor)
        case Waiting(cursor, position):
            return encode_event("waiting", {"position": position}, cursor)
        case Ended(cursor):
            return encode_event("end", {}, cursor)
        case _:
            # What the eyes saw comes with the end.
            return b": seen\n\n"
