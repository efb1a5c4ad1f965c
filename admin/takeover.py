"""/conversations/ID/take, say, back: answering in the model's place, and giving it back."""

import asyncio
import json
from functools import partial

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.console import Console
from admin.filters import is_id
from admin.forms import Form, read_form
from admin.log import add_entry
from admin.routes import Routes
from admin.takeover_view import TakeoverView, takeover_view
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.conversation.takeover import Note, TakeOver, Words
from core.errors import NotFound, PictureError, WrongParameter
from core.store.database import Repositories
from core.store.review.handovers import Handover
from serving.bodies import Bodies
from serving.client import unless_gone
from serving.multipart import FormLimits, field_of, files_of, open_form, read_files
from serving.text import clean, plain_lines

_WORD_CHARS = 10
_GONE = "There is no such conversation, or none that you may read."


def add_takeover(routes: Routes, console: Console) -> None:
    """Add the routes by which an admin answers."""
    services, store, pages = console.services, console.services.store, console.pages
    settings = services.settings
    takeovers = TakeOver(store, services.blobs, services.redis, settings)
    bodies = Bodies(settings)
    limits = FormLimits(
        settings.pictures_per_turn,
        settings.question_max_chars,
        too_many=f"Please send at most {settings.pictures_per_turn} pictures at once.",
        too_long=f"This is too long. Please keep it below {settings.question_max_chars:,} characters.",
    )

    def find(viewer: Viewer, conversation_id: str) -> Handover:
        with store.read() as repositories:
            found = repositories.review(viewer.scope).handover(conversation_id)
        if found is None:
            raise NotFound(user_message=_GONE)
        return found

    def read(viewer: Viewer, conversation_id: str) -> TakeoverView | None:
        with store.read() as repositories:
            return takeover_view(repositories.review(viewer.scope), viewer, conversation_id)

    async def reached(request: Request, viewer: Viewer) -> Handover:
        """The conversation that the address names, if the viewer may read it."""
        conversation_id = request.path_params["id"]
        if not is_id(conversation_id):
            raise NotFound(user_message=_GONE)
        return await asyncio.to_thread(find, viewer, conversation_id)

    def noted(request: Request, viewer: Viewer, action: Action, conversation_id: str, **detail: object) -> Note:
        def write(repositories: Repositories) -> None:
            add_entry(repositories, request, viewer, action, conversation_id, **detail)

        return write

    @routes.guarded("POST", "/conversations/{id}/take", Permission.OPERATE)
    async def take(request: Request, viewer: Viewer) -> Response:
        conversation = (await reached(request, viewer)).conversation
        instead_of = _admin_id(await read_form(request), "instead_of")
        note = noted(request, viewer, Action.TOOK_OVER, conversation.id, instead_of=instead_of)
        await asyncio.to_thread(takeovers.take, conversation.id, viewer.admin_id, instead_of, note)
        return _back_to(conversation.id)

    @routes.guarded("POST", "/conversations/{id}/say", Permission.OPERATE)
    async def say(request: Request, viewer: Viewer) -> Response:
        conversation = (await reached(request, viewer)).conversation
        with bodies.admit(request, bodies.upload_limit) as admitted:
            async with open_form(admitted, limits) as form:
                words = await unless_gone(request.receive, _read_words(form, viewer))
        note = noted(
            request,
            viewer,
            Action.WROTE,
            conversation.id,
            characters=len(words.text),
            pictures=len(words.pictures),
        )
        await asyncio.to_thread(takeovers.write, conversation.id, viewer.admin_id, words, note)
        return _back_to(conversation.id)

    @routes.guarded("POST", "/conversations/{id}/back", Permission.OPERATE)
    async def back(request: Request, viewer: Viewer) -> Response:
        conversation = (await reached(request, viewer)).conversation
        form = await read_form(request)
        taken_by, answer_open = _admin_id(form, "taken_by"), form.get("answer_open") == "1"
        note = noted(request, viewer, Action.HANDED_BACK, conversation.id, answer_open=answer_open)
        hand_back = partial(takeovers.hand_back, answer_open=answer_open, note=note)
        await asyncio.to_thread(hand_back, conversation.id, taken_by)
        return _back_to(conversation.id)

    # The page asks by itself, every few seconds, so asking is no use of the session.
    @routes.guarded("GET", "/conversations/{id}/takeover", Permission.READ, counts=False)
    async def state(request: Request, viewer: Viewer) -> Response:
        conversation_id = request.path_params["id"]
        view = await asyncio.to_thread(read, viewer, conversation_id) if is_id(conversation_id) else None
        if view is None:
            raise NotFound(user_message=_GONE)
        if view.known == request.query_params.get("known"):
            return Response(status_code=204)
        was = request.query_params.get("was", view.who)
        page = pages.show(request, viewer, "takeover_state.html", takeover=view, was=was[:_WORD_CHARS])
        # The page's script asks for those that it shows otherwise.
        turns = {f"turn-{one.turn.seq}": {"id": one.turn.id, "version": one.version} for one in view.news}
        page.headers["hx-trigger"] = json.dumps({"glimt:turns": turns})
        return page

    async def _read_words(form: FormData, viewer: Viewer) -> Words:
        key = field_of(form, "key")
        if not is_id(key):
            raise WrongParameter("key", "The form is not whole. Reload the page and write it anew.")
        files = files_of(form, "pictures", limits)
        named, refused = await read_files(files, services.pictures, viewer.admin_id, settings.picture_max_bytes)
        if refused:
            # Whoever is answered would miss it, and the admin would not know.
            raise PictureError(user_message=" ".join(f"{one.name}: {one.message}" for one in refused))
        text = plain_lines(clean(field_of(form, "text"))).strip()
        return Words(key, text, tuple(named))


def _admin_id(form: Form, name: str) -> str:
    """Who is meant; empty: nobody."""
    value = form.get(name)
    if value and not is_id(value):
        raise WrongParameter(name, f"{name} is no id.")
    return value


def _back_to(conversation_id: str) -> Response:
    return RedirectResponse(f"/conversations/{conversation_id}#takeover", 303)
