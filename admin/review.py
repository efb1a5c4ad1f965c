"""What a reviewer says about a turn: flag, labels, notes, corrected answer, judgement."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.console import Console
from admin.filters import is_id
from admin.forms import Form, read_form
from admin.log import add_entry
from admin.pages import wants_part
from admin.panels import read_panels, turn_address
from admin.routes import Routes
from admin.viewer import Viewer
from admin.views import view_turn
from core.admins import Action, Permission
from core.errors import NotFound
from core.store.models import Turn
from core.store.reviewing import ReviewingRepository
from core.values import utc_now

# A corrected answer in a script whose characters are nine bytes of a form each.
LARGEST = 256 * 1024
# What is done, with which form; and what the log tells of it, which is no word that may be about a person.
Act = Callable[[ReviewingRepository, str, Form], tuple[Turn, Action, dict[str, Any]]]


def add_review(routes: Routes, console: Console) -> None:
    """Add the forms beside a turn. Each leads back to it, with its forms open."""
    store, pages = console.services.store, console.pages

    def write(request: Request, viewer: Viewer, thing_id: str, form: Form, act: Act) -> Turn:
        with store.write() as repositories:
            reviewing = repositories.reviewing(viewer.scope, viewer.admin_id)
            turn, action, detail = act(reviewing, thing_id, form)
            repositories.queues.renew(turn.id, viewer.admin_id, utc_now())
            told = {"turn": turn.seq, **detail}
            add_entry(repositories, request, viewer, action, turn.conversation_id, **told)
        return turn

    def read(viewer: Viewer, turn: Turn, queue_id: str) -> dict[str, Any]:
        with store.read() as repositories:
            view = view_turn(repositories.review(viewer.scope), turn.id)
            if view is None:
                raise NotFound
            panels = read_panels(repositories, viewer, [view.turn], opened=turn.seq, queue_id=queue_id)
        return {"view": view, "panels": panels}

    def add(path: str, act: Act) -> None:
        @routes.guarded("POST", path, Permission.REVIEW)
        async def acted(request: Request, viewer: Viewer) -> Response:
            form = await read_form(request, largest=LARGEST)
            thing_id = request.path_params["id"]
            if not is_id(thing_id):
                raise NotFound
            turn = await asyncio.to_thread(write, request, viewer, thing_id, form, act)
            queue_id = form.get("queue") if is_id(form.get("queue")) else ""
            if not wants_part(request):
                return RedirectResponse(turn_address(turn, queue_id=queue_id), 303)
            return pages.show(request, viewer, "turn.html", **await asyncio.to_thread(read, viewer, turn, queue_id))

    add("/turns/{id}/flag", _flag)
    add("/turns/{id}/labels", _label)
    add("/turns/{id}/notes", _note)
    add("/turns/{id}/correction", _correct)
    add("/turns/{id}/judgement", _judge)
    add("/notes/{id}", _change_note)


def _flag(reviewing: ReviewingRepository, turn_id: str, form: Form) -> tuple[Turn, Action, dict[str, Any]]:
    if form.get("flag") == "0":
        return reviewing.unflag(turn_id), Action.FLAGGED, {"flag": False}
    return reviewing.flag(turn_id, form.get("reason"), utc_now()), Action.FLAGGED, {"flag": True}


def _label(reviewing: ReviewingRepository, turn_id: str, form: Form) -> tuple[Turn, Action, dict[str, Any]]:
    name = form.get("label")
    if form.get("put") == "0":
        return reviewing.take_label(turn_id, name), Action.LABELLED, {"label": name[:64], "put": False}
    return reviewing.put_label(turn_id, name, utc_now()), Action.LABELLED, {"label": name[:64], "put": True}


def _note(reviewing: ReviewingRepository, turn_id: str, form: Form) -> tuple[Turn, Action, dict[str, Any]]:
    text = form.get("text")
    return reviewing.note(turn_id, text, utc_now()), Action.NOTED, {"characters": len(text)}


def _change_note(reviewing: ReviewingRepository, note_id: str, form: Form) -> tuple[Turn, Action, dict[str, Any]]:
    text = form.get("text")
    how = {"note": note_id, "characters": len(text)}
    return reviewing.change_note(note_id, text, utc_now()), Action.NOTED, how


def _correct(reviewing: ReviewingRepository, turn_id: str, form: Form) -> tuple[Turn, Action, dict[str, Any]]:
    text = form.get("text")
    return reviewing.correct(turn_id, text, utc_now()), Action.CORRECTED, {"characters": len(text)}


def _judge(reviewing: ReviewingRepository, turn_id: str, form: Form) -> tuple[Turn, Action, dict[str, Any]]:
    verdict = form.get("verdict")
    return reviewing.judge(turn_id, verdict, utc_now()), Action.JUDGED, {"verdict": verdict}
