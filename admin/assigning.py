"""Who reviews a conversation, and how far he is."""

import asyncio
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.console import Console
from admin.filters import is_id
from admin.forms import Form, read_form
from admin.log import add_entry
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.errors import NotAllowed, NotFound


def add_assigning(routes: Routes, console: Console) -> None:
    """Add the two forms at the head of a transcript."""
    store = console.services.store

    def set_state(request: Request, viewer: Viewer, conversation_id: str, state: str) -> None:
        with store.write() as repositories:
            repositories.reviewing(viewer.scope, viewer.admin_id).set_state(conversation_id, state)
            add_entry(repositories, request, viewer, Action.STATE_SET, conversation_id, state=state)

    def assign(request: Request, viewer: Viewer, conversation_id: str, to: str) -> None:
        with store.write() as repositories:
            repositories.reviewing(viewer.scope, viewer.admin_id).assign(conversation_id, to)
            add_entry(repositories, request, viewer, Action.ASSIGNED, conversation_id, to=to)

    @routes.guarded("POST", "/conversations/{id}/review", Permission.REVIEW)
    async def state(request: Request, viewer: Viewer) -> Response:
        conversation_id, form = await _of(request)
        await asyncio.to_thread(set_state, request, viewer, conversation_id, form.get("state"))
        return _back(conversation_id, form)

    @routes.guarded("POST", "/conversations/{id}/assign", Permission.REVIEW)
    async def assigned(request: Request, viewer: Viewer) -> Response:
        conversation_id, form = await _of(request)
        to = form.get("to")
        # Whom else there is, and what they may read, is for owners to know.
        if to not in ("", viewer.name) and not viewer.may(Permission.ADMINS):
            raise NotAllowed(user_message="You can take a conversation yourself. Owners can give it to somebody else.")
        await asyncio.to_thread(assign, request, viewer, conversation_id, to)
        return _back(conversation_id, form)


async def _of(request: Request) -> tuple[str, Form]:
    form = await read_form(request)
    conversation_id = request.path_params["id"]
    if not is_id(conversation_id):
        raise NotFound
    return conversation_id, form


def _back(conversation_id: str, form: Form) -> Response:
    """Where he was: at a turn, in a queue."""
    turn, queue = form.get("turn"), form.get("queue")
    asked = {"turn": turn, "review": "1"} if turn.isascii() and turn.isdigit() and len(turn) < 10 else {}
    if asked and is_id(queue):
        asked["queue"] = queue
    place = f"?{urlencode(asked)}#turn-{turn}" if asked else ""
    return RedirectResponse(f"/conversations/{conversation_id}{place}", 303)
