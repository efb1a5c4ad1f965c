"""/api/turns: ask, follow the answer, stop it, ask again, rate it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bots.web.errors import json_response
from bots.web.history import History, unread
from bots.web.parts import Parts
from bots.web.uploads import Uploads
from bots.web.views import observation_view, turn_view
from core.errors import NotFound, WrongParameter
from core.queue.follow import FIRST, Ended, FollowEvent, Reset, Retrying, Seen, Text, Waiting
from serving.sse import EventStream, encode_event
from serving.text import known_id

SMALL_BODY = 64 * 1024


def add_turns(routes: APIRouter, parts: Parts) -> None:
    """Add the routes under /api/turns."""
    services, auth = parts.services, parts.auth
    history = History(services.store)
    uploads = Uploads(parts)

    @routes.post("/api/turns")
    async def ask(request: Request) -> Response:
        visitor = await auth.visitor(request)
        inbound = await uploads.question(request, visitor)
        accepted = await services.ask(inbound)
        turn, rating = await asyncio.to_thread(history.turn, visitor, accepted.turn_id)
        return json_response({"conversation_id": accepted.conversation_id, "turn": turn_view(turn, rating)}, 201)

    @routes.get("/api/turns/{turn_id}/events")
    async def events(request: Request, turn_id: str) -> Response:
        visitor = await auth.visitor(request)
        _, rating = await asyncio.to_thread(history.turn, visitor, known_id(turn_id))
        after = request.headers.get("last-event-id") or FIRST
        return EventStream(parts.metrics.streaming("page", _events(parts, turn_id, after, rating)))

    @routes.post("/api/turns/{turn_id}/stop")
    async def stop(request: Request, turn_id: str) -> Response:
        visitor = await auth.visitor(request)
        turn, _ = await asyncio.to_thread(history.turn, visitor, known_id(turn_id))
        state = await services.cancel(turn.id)
        return json_response({"state": state or turn.state})

    @routes.post("/api/turns/{turn_id}/retry")
    async def retry(request: Request, turn_id: str) -> Response:
        visitor = await auth.visitor(request)
        turn, rating = await asyncio.to_thread(history.turn, visitor, known_id(turn_id))
        turn = await services.ask_again(turn.id, visitor.person_id)
        return json_response({"turn": turn_view(turn, rating)})

    @routes.put("/api/turns/{turn_id}/feedback")
    async def feedback(request: Request, turn_id: str) -> Response:
        visitor = await auth.visitor(request)
        rating = await _rating(parts, request)
        await asyncio.to_thread(history.turn, visitor, known_id(turn_id))
        await services.rate(turn_id, visitor.person_id, rating)
        return Response(status_code=204)


async def _events(parts: Parts, turn_id: str, after: str, rating: int) -> AsyncGenerator[bytes, None]:
    # A turn that is erased meanwhile just ends here; the page reconnects and is told 404.
    with suppress(NotFound):
        async with aclosing(parts.services.hub.follow(turn_id, after)) as events:
            async for event in events:
                yield _encode(event, rating)
                # Behind the `yield`: the end was written to the page.
                if isinstance(event, Ended) and unread(event.turn):
                    parts.receipts.add(turn_id)


def _encode(event: FollowEvent, rating: int) -> bytes:
    match event:
        case Reset():
            return encode_event("reset", {}, event.cursor)
        case Seen():
            return encode_event("seen", observation_view(event.observation), event.cursor)
        case Text():
            return encode_event(event.kind, {"text": event.text}, event.cursor)
        case Waiting():
            return encode_event("waiting", {"position": event.position}, event.cursor)
        case Retrying():
            return encode_event("retry", {"message": event.message}, event.cursor)
        case Ended():
            return encode_event("end", {"turn": turn_view(event.turn, rating)}, event.cursor)


async def _rating(parts: Parts, request: Request) -> int:
    with parts.bodies.admit(request, SMALL_BODY) as admitted:
        body = await admitted.body()
    try:
        rating = json.loads(body)["rating"]
    except (ValueError, KeyError, TypeError, RecursionError):
        rating = None
    if type(rating) is not int or rating not in (-1, 0, 1):
        raise WrongParameter("rating", "rating must be 1, -1 or 0.")
    return rating
