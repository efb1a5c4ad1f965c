"""/people/ID, /conversations/ID/privacy: what is kept of somebody or something; erasing it, and keeping it."""

import asyncio

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.console import Console
from admin.filters import is_id
from admin.forms import Form, read_form
from admin.log import add_entry
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.conversation.erasure import Erased
from core.errors import NotFound
from core.queue.erasing import stop_and_erase_conversation, stop_and_erase_person
from core.store.models import Erasure
from core.store.retention.holds import REASON_CHARS
from core.store.review.kept import ConversationKept, Kept, PersonKept
from core.values import utc_now

# What has to be typed before a conversation is erased; for a person it is what the platform calls this person.
TYPED = "erase"
_NO_PERSON = "There is no such person, or nobody of whom you may read anything."
_NO_CONVERSATION = "There is no such conversation, or none that you may read."
_HELD = "This conversation is held. End the hold first, if it may be erased."


def add_erasing(routes: Routes, console: Console) -> None:
    """Add the pages of people, what is kept of a conversation, and what was erased."""
    pages, services = console.pages, console.services
    store, ttl_s = services.store, services.settings.stream_ttl_s

    def read_person(viewer: Viewer, person_id: str) -> PersonKept:
        with store.read() as repositories:
            found = repositories.review(viewer.scope).person(person_id) if is_id(person_id) else None
        if found is None:
            raise NotFound(user_message=_NO_PERSON)
        return found

    def read_conversation(viewer: Viewer, conversation_id: str) -> ConversationKept:
        with store.read() as repositories:
            found = repositories.review(viewer.scope).kept(conversation_id) if is_id(conversation_id) else None
        if found is None:
            raise NotFound(user_message=_NO_CONVERSATION)
        return found

    def read_erasure(erasure_id: str) -> Erasure:
        with store.read() as repositories:
            found = repositories.erasures.get(erasure_id) if is_id(erasure_id) else None
        if found is None:
            raise NotFound(user_message="There is no record of that.")
        return found

    def note(request: Request, viewer: Viewer, action: Action, kept: Kept, **about: str) -> None:
        # Before anything goes: an erasure that is cut off in the middle was begun, too.
        with store.write() as repositories:
            add_entry(
                repositories,
                request,
                viewer,
                action,
                about.get("conversation_id", ""),
                person_id=about.get("person_id", ""),
                shown={"turns": kept.turns, "pictures": kept.pictures, "held": kept.held},
            )

    def erase_person(request: Request, viewer: Viewer, found: PersonKept) -> Erased:
        note(request, viewer, Action.ERASED_PERSON, found.kept, person_id=found.person.id)
        return stop_and_erase_person(store, services.redis, services.blobs, found.person.id, ttl_s)

    def erase_conversation(request: Request, viewer: Viewer, found: ConversationKept) -> Erased:
        note(request, viewer, Action.ERASED_CONVERSATION, found.kept, conversation_id=found.conversation.id)
        return stop_and_erase_conversation(store, services.redis, services.blobs, found.conversation.id, ttl_s)

    def hold(request: Request, viewer: Viewer, conversation_id: str, reason: str) -> None:
        with store.write() as repositories:
            if not repositories.retention.set_hold(conversation_id, reason, viewer.name, utc_now()):
                raise NotFound(user_message=_NO_CONVERSATION)
            add_entry(repositories, request, viewer, Action.HELD, conversation_id, reason=reason)

    def end_hold(request: Request, viewer: Viewer, conversation_id: str) -> None:
        with store.write() as repositories:
            if repositories.retention.end_hold(conversation_id):
                add_entry(repositories, request, viewer, Action.HOLD_ENDED, conversation_id)

    async def show_person(request: Request, viewer: Viewer, found: PersonKept, problem: str = "") -> Response:
        status = 400 if problem else 200
        return pages.show(request, viewer, "person.html", status=status, found=found, kept=found.kept, problem=problem)

    async def show_conversation(
        request: Request, viewer: Viewer, found: ConversationKept, problem: str = ""
    ) -> Response:
        shown = {"found": found, "kept": found.kept, "problem": problem, "typed": TYPED, "longest": REASON_CHARS}
        return pages.show(request, viewer, "kept.html", status=400 if problem else 200, **shown)

    @routes.guarded("GET", "/people/{id}", Permission.READ)
    async def person(request: Request, viewer: Viewer) -> Response:
        found = await asyncio.to_thread(read_person, viewer, request.path_params["id"])
        await console.log.note(request, viewer, Action.READ_PERSON, person_id=found.person.id)
        return await show_person(request, viewer, found)

    @routes.guarded("POST", "/people/{id}/erase", Permission.ERASE)
    async def person_erased(request: Request, viewer: Viewer) -> Response:
        form = await read_form(request)
        found = await asyncio.to_thread(read_person, viewer, request.path_params["id"])
        if form.get("typed") != found.person.external_id.strip():
            said = f"Nothing was erased: type {found.person.external_id} to say that you mean this person."
            return await show_person(request, viewer, found, said)
        erased = await asyncio.to_thread(erase_person, request, viewer, found)
        return RedirectResponse(f"/erasures/{erased.erasure_id}", 303)

    @routes.guarded("GET", "/conversations/{id}/privacy", Permission.ERASE)
    async def conversation(request: Request, viewer: Viewer) -> Response:
        found = await asyncio.to_thread(read_conversation, viewer, request.path_params["id"])
        await console.log.note(request, viewer, Action.LISTED, found.conversation.id)
        return await show_conversation(request, viewer, found)

    @routes.guarded("POST", "/conversations/{id}/hold", Permission.ERASE)
    async def held(request: Request, viewer: Viewer) -> Response:
        form = await read_form(request)
        found = await asyncio.to_thread(read_conversation, viewer, request.path_params["id"])
        reason = form.get("reason")[:REASON_CHARS]
        if not reason:
            return await show_conversation(request, viewer, found, "Say why: whoever asks later reads it here.")
        await asyncio.to_thread(hold, request, viewer, found.conversation.id, reason)
        return RedirectResponse(f"/conversations/{found.conversation.id}/privacy", 303)

    @routes.guarded("POST", "/conversations/{id}/hold/end", Permission.ERASE)
    async def hold_ended(request: Request, viewer: Viewer) -> Response:
        found = await asyncio.to_thread(read_conversation, viewer, request.path_params["id"])
        await asyncio.to_thread(end_hold, request, viewer, found.conversation.id)
        return RedirectResponse(f"/conversations/{found.conversation.id}/privacy", 303)

    @routes.guarded("POST", "/conversations/{id}/erase", Permission.ERASE)
    async def conversation_erased(request: Request, viewer: Viewer) -> Response:
        form = await read_form(request)
        found = await asyncio.to_thread(read_conversation, viewer, request.path_params["id"])
        if (problem := _problem(form, found)) is not None:
            return await show_conversation(request, viewer, found, problem)
        erased = await asyncio.to_thread(erase_conversation, request, viewer, found)
        return RedirectResponse(f"/erasures/{erased.erasure_id}", 303)

    @routes.guarded("GET", "/erasures/{id}", Permission.ERASE)
    async def erasure(request: Request, viewer: Viewer) -> Response:
        record = await asyncio.to_thread(read_erasure, request.path_params["id"])
        return pages.show(request, viewer, "erased.html", record=record)


def _problem(form: Form, found: ConversationKept) -> str | None:
    if found.hold is not None:
        return _HELD
    if form.get("typed").lower() != TYPED:
        return f"Nothing was erased: type “{TYPED}” to say that you mean it."
    return None
