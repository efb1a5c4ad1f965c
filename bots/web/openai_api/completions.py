"""POST /v1/chat/completions: a question of a stateless client, through intake, queue and worker like any other."""

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bots.web.errors import error_response, json_response
from bots.web.keys import WORKSPACE
from bots.web.model_name import served_model
from bots.web.openai_api.failures import failure_of
from bots.web.openai_api.messages import Dialogue
from bots.web.openai_api.parameters import Wanted, parse_json, parse_request
from bots.web.openai_api.pictures import PictureSource
from bots.web.openai_api.shapes import Chunks, completion
from bots.web.openai_api.stream import AnswerStream
from bots.web.parts import Parts
from core.conversation.inbound import InboundQuestion, Named, PastTurn
from core.errors import RequestError, TooManyPictures, WrongParameter
from core.queue.follow import Ended
from core.store.models import Turn
from core.values import Platform, new_id
from serving.bodies import JSON_COPIES
from serving.client import unless_gone
from serving.sse import EventStream

PATH = "/v1/chat/completions"
# Larger bodies are parsed beside the event loop.
PARSE_HERE_BYTES = 64 * 1024
IDEMPOTENCY_KEY_CHARS = 255


def add_completions(routes: APIRouter, parts: Parts) -> None:
    """Add the one route of completions."""
    endpoint = _Completions(parts)
    routes.post(PATH)(endpoint.handle)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question that was committed, and how its client wants the answer."""

    turn_id: str
    stream: bool
    include_usage: bool
    abandonable: bool


class _Completions:
    """Asks, then waits or streams."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._services = parts.services
        self._settings = parts.services.settings
        self._model = served_model(self._settings)
        self._pictures = PictureSource(self._settings, parts.services.pictures, parts.fetcher)

    async def handle(self, request: Request) -> Response:
        """Answer one request. What waits for the answer holds nothing of the body, which may be large."""
        asked = await self._ask(request)
        return self._stream(asked) if asked.stream else await self._whole(request, asked)

    async def _ask(self, request: Request) -> _Asked:
        person = await self._parts.auth.program(request)
        key = _idempotency_key(request)
        bodies = self._parts.bodies
        with bodies.admit(request, bodies.json_limit, copies=JSON_COPIES) as admitted:
            wanted, content_hash = await self._read(admitted)
            named = await self._named(request, wanted.dialogue, person)
            accepted = await self._services.ask(_inbound(wanted, named, person, key, content_hash))
        # With an idempotency key the client comes back for the answer after a lost connection.
        return _Asked(accepted.turn_id, wanted.stream, wanted.include_usage, abandonable=key is None)

    async def _read(self, request: Request) -> tuple[Wanted, str]:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            # Also what keeps other sites' pages away where no key is needed: they cannot send this type unasked.
            raise RequestError(user_message="Send the request as Content-Type: application/json.")
        body = await request.body()
        if len(body) <= PARSE_HERE_BYTES:
            return self._parse(body)
        return await asyncio.to_thread(self._parse, body)

    def _parse(self, body: bytes) -> tuple[Wanted, str]:
        return parse_request(parse_json(body), self._settings), sha256(body).hexdigest()

    async def _named(self, request: Request, dialogue: Dialogue, person: str) -> dict[int, tuple[Named, ...]]:
        """The pictures of all messages by number. They cost the share of the key, however many end users it names."""
        if len(dialogue.pictures) > (most := self._settings.pictures_per_turn):
            raise TooManyPictures(
                user_message=f"The question has {len(dialogue.pictures)} pictures. Please send at most {most} with one."
            )
        refs = dialogue.all_pictures()
        return await unless_gone(request.receive, self._pictures.read(refs, person)) if refs else {}

    def _stream(self, asked: _Asked) -> Response:
        async def give_up() -> None:
            if asked.abandonable:
                await self._services.cancel(asked.turn_id)

        chunks = Chunks(asked.turn_id, self._model, int(time.time()), include_usage=asked.include_usage)
        answer = AnswerStream(chunks, include_usage=asked.include_usage, give_up=give_up)
        events = answer.translate(
            self._services.hub.follow(asked.turn_id), ended=lambda: self._parts.receipts.add(asked.turn_id)
        )
        return EventStream(self._parts.metrics.streaming("api", events), on_abandoned=give_up)

    async def _whole(self, request: Request, asked: _Asked) -> Response:
        try:
            turn = await unless_gone(request.receive, self._last(asked.turn_id))
        except ClientDisconnect:
            if asked.abandonable:
                await self._services.cancel(asked.turn_id)
            raise
        failure = failure_of(turn)
        if failure is None:
            response = json_response(completion(turn, self._model, int(turn.created_at.timestamp())))
        else:
            response = error_response(PATH, failure)
            # The worker has made all its attempts already.
            response.headers["x-should-retry"] = "false"
        response.background = BackgroundTask(self._note_read, asked.turn_id)
        return response

    async def _last(self, turn_id: str) -> Turn:
        async with aclosing(self._services.hub.follow(turn_id)) as events:
            async for event in events:
                if isinstance(event, Ended):
                    return event.turn
        raise AssertionError("a follower always comes to the end")

    async def _note_read(self, turn_id: str) -> None:
        self._parts.receipts.add(turn_id)


def _inbound(
    wanted: Wanted, named: dict[int, tuple[Named, ...]], holder: str, key: str | None, content_hash: str
) -> InboundQuestion:
    dialogue = wanted.dialogue
    # Each end user of a program is a person: own conversations, own limits, own share of the workers.
    person = f"{holder}/{wanted.user}" if wanted.user else holder

    def of(refs: Any) -> tuple[Named, ...]:
        return tuple(picture for ref in refs for picture in named[ref.number])

    return InboundQuestion(
        platform=Platform.API,
        workspace=WORKSPACE,
        person=person,
        for_many=not wanted.user,
        # One end user's key must not lead to another's answer.
        event_key=new_id() if key is None else sha256(f"{person}\0{key}".encode()).hexdigest(),
        content_hash="" if key is None else content_hash,
        question=dialogue.question,
        system_prompt=dialogue.system,
        options=wanted.options,
        pictures=of(dialogue.pictures),
        history=tuple(PastTurn(past.question, past.answer, of(past.pictures)) for past in dialogue.past),
    )


def _idempotency_key(request: Request) -> str | None:
    """What makes a repeated request the same question, if the client sent it."""
    key = request.headers.get("idempotency-key")
    if key is None or 0 < len(key) <= IDEMPOTENCY_KEY_CHARS:
        return key
    raise WrongParameter("Idempotency-Key", f"Idempotency-Key has 1 to {IDEMPOTENCY_KEY_CHARS} characters.")
