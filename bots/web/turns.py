"""/api/turns: ask, follow the answer, stop it, ask again, rate it."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from bots.web.auth import Visitor
from bots.web.errors import json_response
from bots.web.history import History, unread
from bots.web.keys import WORKSPACE
from bots.web.parts import Parts
from bots.web.sse import EventStream, encode_event
from bots.web.text import clean, file_name, known_id
from bots.web.views import turn_view
from core.conversation.inbound import InboundQuestion, Named, Refused
from core.errors import Busy, NotFound, PictureError, PictureTooLarge, RequestError, TooManyPictures, WrongParameter
from core.queue.follow import FIRST, Ended, FollowEvent, Reset, Retrying, Text, Waiting
from core.queue.streams import forget_stream
from core.settings import MIB
from core.store.models import Turn
from core.values import Platform, TurnState, utc_now

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
SMALL_BODY = 64 * 1024


def add_turns(routes: APIRouter, parts: Parts) -> None:
    """Add the routes under /api/turns."""
    services, auth = parts.services, parts.auth
    history = History(services.store)
    uploads = _Uploads(parts)

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
        turn = await asyncio.to_thread(_reopen, parts, visitor, turn)
        services.announcer.hint(turn.person_id, turn.conversation_id)
        return json_response({"turn": turn_view(turn, rating)})

    @routes.put("/api/turns/{turn_id}/feedback")
    async def feedback(request: Request, turn_id: str) -> Response:
        visitor = await auth.visitor(request)
        rating = await _rating(parts, request)
        await asyncio.to_thread(history.turn, visitor, known_id(turn_id))
        await asyncio.to_thread(_rate, parts, visitor, turn_id, rating)
        return Response(status_code=204)


class _Uploads:
    """Multipart bodies → questions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings = parts.services.settings

    async def question(self, request: Request, visitor: Visitor) -> InboundQuestion:
        """Read and check the form.

        Raises:
            RequestError: it is too large, incomplete or not a form; or not one of its files can be read.
        """
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise RequestError(user_message="Send the question as multipart/form-data.")
        most = self._settings.pictures_per_turn
        with self._parts.bodies.admit(request, self._parts.bodies.upload_limit) as admitted:
            # Room for the fields that we know and some that we do not; one file more than allowed, to say so clearly.
            async with admitted.form(max_files=most + 1, max_fields=16, max_part_size=MIB) as form:
                files = [part for part in form.getlist("pictures") if isinstance(part, UploadFile)]
                if len(files) > most:
                    raise TooManyPictures(user_message=f"Please send at most {most} pictures with one question.")
                named, refused = await self._read(files)
                return self._inbound(form, visitor, named, refused)

    async def _read(self, files: list[UploadFile]) -> tuple[list[Named], list[Refused]]:
        all_named: list[Named] = []
        all_refused: list[Refused] = []
        for file in files:
            name = file_name(file.filename)
            if (file.size or 0) > self._settings.picture_max_bytes:
                all_refused.append(Refused(name, PictureTooLarge.code, PictureTooLarge.user_message))
                continue
            named, refused = await self._parts.pictures.read(name, await file.read())
            all_named += named
            all_refused += refused
        if all_refused and not all_named:
            raise PictureError(user_message=" ".join(f"{r.name}: {r.message}" for r in all_refused))
        return all_named, all_refused

    def _inbound(self, form: FormData, visitor: Visitor, named: list[Named], refused: list[Refused]) -> InboundQuestion:
        client_id = _field(form, "client_id")
        if not _CLIENT_ID.fullmatch(client_id):
            raise WrongParameter("client_id", "client_id must be 8 to 64 letters, digits, - or _.")
        conversation_id = _field(form, "conversation_id")
        return InboundQuestion(
            platform=Platform.WEB,
            workspace=WORKSPACE,
            person=visitor.person,
            # The page chooses its ids, so they count only for the same person.
            event_key=f"{visitor.person_id}:{client_id}",
            question=clean(_field(form, "question")),
            conversation_id=known_id(conversation_id) if conversation_id else None,
            pictures=tuple(named),
            refused=tuple(refused),
        )


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    if not isinstance(value, str):
        raise WrongParameter(name, f"{name} must be text, not a file.")
    return value


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
        case Text():
            return encode_event(event.kind, {"text": event.text}, event.cursor)
        case Waiting():
            return encode_event("waiting", {"position": event.position}, event.cursor)
        case Retrying():
            return encode_event("retry", {"message": event.message}, event.cursor)
        case Ended():
            return encode_event("end", {"turn": turn_view(event.turn, rating)}, event.cursor)


def _reopen(parts: Parts, visitor: Visitor, turn: Turn) -> Turn:
    limit = parts.services.settings.waiting_per_person
    if turn.state in (TurnState.FAILED, TurnState.CANCELLED):
        forget_stream(parts.services.sync_redis, turn.id)
    with parts.services.store.write() as repositories:
        if repositories.turns.count_open(visitor.person_id) >= limit:
            raise Busy(user_message="You have many questions waiting already. Please wait for an answer first.")
        if not repositories.turns.reopen(turn.id, utc_now()):
            raise RequestError(
                user_message="Only a conversation's last question can be asked again, once it failed or was stopped."
            )
        return repositories.turns.get(turn.id) or turn


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


def _rate(parts: Parts, visitor: Visitor, turn_id: str, rating: int) -> None:
    with parts.services.store.write() as repositories:
        repositories.feedback.set(turn_id, visitor.person_id, rating, now=utc_now())
