"""/api/session: whether this browser is signed in, signing in with a key, signing out."""

import json

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bots.web.errors import json_response
from bots.web.model_name import served_model
from bots.web.parts import Parts
from core.errors import WrongParameter
from core.settings import Settings

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
    settings, auth = parts.services.settings, parts.auth

    @routes.get("/api/session")
    async def session(request: Request) -> Response:
        needs_key = await auth.needs_key()
        signed_in = await auth.visitor_if_any(request) is not None
        if signed_in or needs_key:
            return json_response(_view(settings, signed_in=signed_in, needs_key=needs_key))
        # Only this machine can reach us: every browser gets a session by itself.
        token = await auth.sign_in(request, None)
        response = json_response(_view(settings, signed_in=True, needs_key=False))
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


def _view(settings: Settings, *, signed_in: bool, needs_key: bool) -> dict[str, object]:
    return {
        "signed_in": signed_in,
        "needs_key": needs_key,
        "model": served_model(settings),
        "limits": {
            "picture_max_bytes": settings.picture_max_bytes,
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
