"""/api/session: whether this browser is signed in, signing in with a key, signing out."""

import asyncio
import json

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bots.web.errors import json_response
from bots.web.model_name import served_model
from bots.web.parts import Parts
from core.errors import WrongParameter
from core.settings import Settings
from core.values import utc_now
from serving.secrets import hash_secret

ACCEPTED_TYPES = (
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/bmp",
    "image/tiff",
    "image/heic",
    "image/heif",
    "image/avif",
    "application/pdf",
)
SMALL_BODY = 4 * 1024


def add_session(routes: APIRouter, parts: Parts) -> None:
    """Add the routes under /api/session."""
    settings, auth, store = parts.services.settings, parts.auth, parts.services.store

    def person_of(token: str) -> str | None:
        with store.read() as repositories:
            session = repositories.web_sessions.by_hash(hash_secret(token), utc_now())
            return None if session is None else session.person_id

    @routes.get("/api/session")
    async def session(request: Request) -> Response:
        needs_key = await auth.needs_key()
        visitor = await auth.visitor_if_any(request)
        if visitor is not None or needs_key:
            return json_response(_view(settings, visitor.person_id if visitor is not None else None, needs_key))
        # Only this machine can reach us: every browser gets a session by itself.
        token = await auth.sign_in(request, None)
        response = json_response(_view(settings, await asyncio.to_thread(person_of, token), needs_key))
        auth.set_cookie(request, response, token)
        return response

    @routes.post("/api/session")
    async def sign_in(request: Request) -> Response:
        auth.require_own_page(request)
        token = await auth.sign_in(request, await _key(parts, request))
        response = Response(status_code=204)
        auth.set_cookie(request, response, token)
        return response

    @routes.delete("/api/session")
    async def sign_out(request: Request) -> Response:
        auth.require_own_page(request)
        await auth.sign_out(request)
        response = Response(status_code=204)
        auth.set_cookie(request, response, "")
        return response


def _view(settings: Settings, person_id: str | None, needs_key: bool) -> dict[str, object]:
    """`person`, null where nobody is signed in, tells the page whether it still speaks with the same person."""
    return {
        "signed_in": person_id is not None,
        "person": person_id,
        "needs_key": needs_key,
        "model": served_model(settings),
        "limits": {
            "picture_max_bytes": settings.picture_max_bytes,
            "picture_max_pixels": settings.picture_max_pixels,
            "pictures_per_turn": settings.pictures_per_turn,
            "question_max_chars": settings.question_max_chars,
            "accept": ACCEPTED_TYPES,
        },
    }


async def _key(parts: Parts, request: Request) -> str:
    with parts.bodies.admit(request, SMALL_BODY) as admitted:
        body = await admitted.body()
    try:
        key = json.loads(body)["key"]
    except (ValueError, KeyError, TypeError, RecursionError):
        key = None
    if not isinstance(key, str) or not key.strip():
        raise WrongParameter("key", "Please enter your key.")
    return key.strip()
