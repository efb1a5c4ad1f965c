"""POST /v1/chat/completions: a question of a stateless client, through intake, queue and worker like any other."""

import asyncio
import time
from contextlib import aclosing
from hashlib import sha256
from typing import Any

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from bots.web.errors import error_response, json_response
from bots.web.keys import WORKSPACE
from bots.web.model_name import served_model
from bots.web.openai_api.failures import failure_of
from bots.web.openai_api.parameters import Wanted, parse_json, parse_request
from bots.web.openai_api.pictures import PictureSource
from bots.web.openai_api.shapes import Chunks, completion
from bots.web.openai_api.stream import AnswerStream
from bots.web.parts import Parts
from bots.web.sse import EventStream, disconnected
from core.conversation.inbound import Accepted, InboundQuestion, Named, PastTurn
from core.errors import RequestError, WrongParameter
from core.queue.follow import Ended
from core.store.models import Turn
from core.values import Platform, new_id

PATH = "/v1/chat/completions"
# Larger bodies are parsed beside the event loop.
PARSE_HERE_BYTES = 64 * 1024
IDEMPOTENCY_KEY_CHARS = 255


def add_completions(routes: APIRouter, parts: Parts) -> None:
    """Add the one route of completions."""
    endpoint = _Completions(parts)
    routes.post(PATH)(endpoint.handle)


class _Completions:
    """Asks, then waits or streams."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._services = parts.services
        self._settings = parts.services.settings
        self._model = served_model(self._settings)
        self._pictures = PictureSource(self._settings, parts.pictures)

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        person = await self._parts.auth.program(request)
        event_key = _event_key(request, person)
        with self._parts.bodies.admit(request, self._parts.bodies.json_limit) as admitted:
            wanted = await self._read(admitted)
            accepted = await self._services.ask(await self._inbound(wanted, person, event_key or new_id()))
        # With an idempotency key the client comes back for the answer after a lost connection.
        abandonable = event_key is None
        if wanted.stream:
            return self._stream(accepted, wanted, abandonable)
        return await self._whole(request, accepted, abandonable)

    async def _read(self, request: Request) -> Wanted:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            # Also what keeps other sites' pages away where no key is needed: they cannot send this type unasked.
            raise RequestError(user_message="Send the request as Content-Type: application/json.")
        body = await request.body()
        if len(body) <= PARSE_HERE_BYTES:
            return self._parse(body)
        return await asyncio.to_thread(self._parse, body)

    def _parse(self, body: bytes) -> Wanted:
        return parse_request(parse_json(body), self._settings)

    async def _inbound(self, wanted: Wanted, person: str, event_key: str) -> InboundQuestion:
        dialogue = wanted.dialogue
        named = await self._pictures.read(dialogue.all_pictures())

        def of(refs: Any) -> tuple[Named, ...]:
            return tuple(picture for ref in refs for picture in named[ref.number])

        return InboundQuestion(
            platform=Platform.API,
            workspace=WORKSPACE,
            # Each end user of a program is a person: own conversations, own limits, own share of the workers.
            person=f"{person}/{wanted.user}" if wanted.user else person,
            event_key=event_key,
            question=dialogue.question,
            system_prompt=dialogue.system,
            options=wanted.options,
            pictures=of(dialogue.pictures),
            history=tuple(PastTurn(past.question, past.answer, of(past.pictures)) for past in dialogue.past),
        )

    def _stream(self, accepted: Accepted, wanted: Wanted, abandonable: bool) -> Response:
        turn_id = accepted.turn_id

        async def give_up() -> None:
            if abandonable:
                await self._services.cancel(turn_id)

        chunks = Chunks(turn_id, self._model, int(time.time()), include_usage=wanted.include_usage)
        answer = AnswerStream(chunks, include_usage=wanted.include_usage, give_up=give_up)
        events = answer.translate(self._services.hub.follow(turn_id), ended=lambda: self._parts.receipts.add(turn_id))
        return EventStream(self._parts.metrics.streaming("api", events), on_abandoned=give_up)

    async def _whole(self, request: Request, accepted: Accepted, abandonable: bool) -> Response:
        turn = await self._ended(request, accepted.turn_id)
        if turn is None:
            if abandonable:
                await self._services.cancel(accepted.turn_id)
            return Response(status_code=400)  # Nobody is there to read it.
        failure = failure_of(turn)
        if failure is None:
            response = json_response(completion(turn, self._model, int(turn.created_at.timestamp())))
        else:
            response = error_response(PATH, failure)
            # The worker has made all its attempts already.
            response.headers["x-should-retry"] = "false"
        response.background = BackgroundTask(self._note_read, accepted.turn_id)
        return response

    async def _ended(self, request: Request, turn_id: str) -> Turn | None:
        """The turn once it is final; None if the client goes away first."""
        ending = asyncio.create_task(self._last(turn_id))
        gone = asyncio.create_task(disconnected(request.receive))
        try:
            await asyncio.wait((ending, gone), return_when=asyncio.FIRST_COMPLETED)
            return ending.result() if ending.done() else None
        finally:
            ending.cancel()
            gone.cancel()
            await asyncio.gather(ending, gone, return_exceptions=True)

    async def _last(self, turn_id: str) -> Turn:
        async with aclosing(self._services.hub.follow(turn_id)) as events:
            async for event in events:
                if isinstance(event, Ended):
                    return event.turn
        raise AssertionError("a follower always comes to the end")

    async def _note_read(self, turn_id: str) -> None:
        self._parts.receipts.add(turn_id)


def _event_key(request: Request, person: str) -> str | None:
    """What makes a repeated request the same question, if the client sent an Idempotency-Key."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= IDEMPOTENCY_KEY_CHARS:
        raise WrongParameter("Idempotency-Key", f"Idempotency-Key has 1 to {IDEMPOTENCY_KEY_CHARS} characters.")
    return sha256(f"{person}\0{key}".encode()).hexdigest()
