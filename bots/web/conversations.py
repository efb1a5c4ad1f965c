"""GET /api/conversations: the visitor's conversations, latest first, and one with all its turns."""

import asyncio
import base64
import binascii
from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bots.web.auth import Visitor
from bots.web.errors import json_response
from bots.web.history import History, unread
from bots.web.parts import Parts
from bots.web.views import conversation_view, listed_view
from core.errors import NotFound, WrongParameter
from core.store.models import Conversation
from serving.text import known_id

PAGE = 50


def add_conversations(routes: APIRouter, parts: Parts) -> None:
    """Add the routes under /api/conversations."""
    store = parts.services.store
    history = History(store)

    def page(visitor: Visitor, before: tuple[datetime, str] | None) -> list[Conversation]:
        with store.read() as repositories:
            return repositories.conversations.list_for(visitor.person_id, limit=PAGE + 1, before=before)

    @routes.get("/api/conversations")
    async def list_conversations(request: Request) -> Response:
        visitor = await parts.auth.visitor(request)
        before = request.query_params.get("before")
        found = await asyncio.to_thread(page, visitor, _parse_cursor(before) if before else None)
        shown = found[:PAGE]
        return json_response(
            {
                "conversations": [listed_view(c) for c in shown],
                "next": _cursor(shown[-1]) if len(found) > PAGE else None,
            }
        )

    @routes.get("/api/conversations/{conversation_id}")
    async def one_conversation(request: Request, conversation_id: str) -> Response:
        visitor = await parts.auth.visitor(request)
        found = await asyncio.to_thread(history.conversation, visitor, known_id(conversation_id))
        response = json_response(conversation_view(found))
        for turn in found.turns:
            if unread(turn):
                parts.receipts.add(turn.id)
        return response

    @routes.get("/api/conversations/{conversation_id}/version")
    async def version(request: Request, conversation_id: str) -> Response:
        # Asked every few seconds by a page that waits for a human: one row by its key.
        visitor = await parts.auth.visitor(request)
        current = await asyncio.to_thread(history.version, visitor, known_id(conversation_id))
        if current == request.query_params.get("known"):
            return Response(status_code=204)
        return json_response({"version": current})


def _cursor(conversation: Conversation) -> str:
    text = f"{conversation.updated_at.isoformat()} {conversation.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _parse_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        time, _, conversation_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(" ")
        return datetime.fromisoformat(time).astimezone(UTC), known_id(conversation_id)
    except (ValueError, binascii.Error, OverflowError, NotFound):
        raise WrongParameter("before", "This is not a place in the list. Start from its top.") from None
