"""GET /api/pictures/KEY: a picture of one of the visitor's own conversations."""

import asyncio
import re

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bots.web.auth import Visitor
from bots.web.parts import Parts
from core.errors import NotFound

_KEY = re.compile(r"[0-9a-f]{64}")
# The types that `core.media` writes; anything else is not shown.
_TYPES = ("image/jpeg", "image/png", "image/webp")


def add_pictures(routes: APIRouter, parts: Parts) -> None:
    """Add the one route of pictures."""
    store, blobs = parts.services.store, parts.services.blobs

    def media_type(visitor: Visitor, key: str) -> str:
        with store.read() as repositories:
            attachment = repositories.attachments.visible_to(key, visitor.person_id)
        if attachment is None or attachment.media_type not in _TYPES:
            raise NotFound
        return attachment.media_type

    @routes.get("/api/pictures/{key}")
    async def picture(request: Request, key: str) -> Response:
        visitor = await parts.auth.visitor(request)
        if not _KEY.fullmatch(key):
            raise NotFound
        kind = await asyncio.to_thread(media_type, visitor, key)
        headers = {
            "etag": f'"{key}"',
            # The browser may keep it but asks each time: after signing out it is shown to nobody.
            "cache-control": "private, no-cache",
            "content-security-policy": "default-src 'none'; sandbox",
            "content-disposition": "inline",
        }
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(await asyncio.to_thread(blobs.get, key), headers=headers, media_type=kind)
