"""What owners say a queue is for."""

import asyncio
from datetime import timedelta
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.console import Console
from admin.filters import is_id
from admin.forms import Form, read_form
from admin.log import add_entry
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.errors import NotFound, WrongParameter
from core.reviewing import checked_rule
from core.store.review_tables import ReviewQueue
from core.store.reviewing.filling import fill_queue
from core.values import utc_now

MOST_DAYS = 3650
# Of the rule's first bites, so that whoever made a queue sees whether it finds anything; the rest is done soon after.
_AT_ONCE = 10


def add_queue_rules(routes: Routes, console: Console) -> None:
    """Add the forms that make, change and remove queues."""
    store = console.services.store

    def fill(queue_id: str) -> None:
        for _ in islice(fill_queue(store, queue_id, utc_now()), _AT_ONCE):
            pass

    def make(request: Request, viewer: Viewer, form: Form) -> str:
        rule, parameters = checked_rule(form.get("kind"), form.get("seconds"), form.get("percent"), form.get("label"))
        now = utc_now()
        with store.write() as repositories:
            queue = repositories.queues.add(
                form.get("name"),
                rule,
                parameters,
                workspace_id=_id_or_none(form.get("workspace")),
                judges=_whole("judges", form.get("judges") or "1", 5),
                since=now - timedelta(days=_whole("days", form.get("days") or "0", MOST_DAYS)),
                now=now,
            )
            _note(repositories, request, viewer, queue, "made")
        fill(queue.id)
        return queue.id

    def change(request: Request, viewer: Viewer, queue_id: str, form: Form) -> None:
        with store.write() as repositories:
            known = repositories.queues.existing(queue_id)
            _, parameters = checked_rule(known.kind, form.get("seconds"), form.get("percent"), form.get("label"))
            judges = _whole("judges", form.get("judges"), 5)
            enabled = form.get("enabled") == "1"
            queue = repositories.queues.change(
                queue_id, form.get("name"), parameters, judges=judges, enabled=enabled, now=utc_now()
            )
            _note(repositories, request, viewer, queue, "changed")
        fill(queue_id)

    def remove(request: Request, viewer: Viewer, queue_id: str) -> None:
        with store.write() as repositories:
            _note(repositories, request, viewer, repositories.queues.remove(queue_id), "removed")

    @routes.guarded("POST", "/queues", Permission.SETTINGS)
    async def made(request: Request, viewer: Viewer) -> Response:
        queue_id = await asyncio.to_thread(make, request, viewer, await read_form(request))
        return RedirectResponse(f"/queues/{queue_id}", 303)

    @routes.guarded("POST", "/queues/{id}", Permission.SETTINGS)
    async def changed(request: Request, viewer: Viewer) -> Response:
        queue_id = _id(request)
        await asyncio.to_thread(change, request, viewer, queue_id, await read_form(request))
        return RedirectResponse(f"/queues/{queue_id}", 303)

    @routes.guarded("POST", "/queues/{id}/remove", Permission.SETTINGS)
    async def removed(request: Request, viewer: Viewer) -> Response:
        await asyncio.to_thread(remove, request, viewer, _id(request))
        return RedirectResponse("/queues", 303)


def _note(repositories: Any, request: Request, viewer: Viewer, queue: ReviewQueue, how: str) -> None:
    rule = {"kind": queue.kind, **queue.parameters, "judges": queue.judges, "enabled": queue.enabled}
    add_entry(repositories, request, viewer, Action.QUEUE_CHANGED, queue=queue.id, name=queue.name, how=how, rule=rule)


def _id(request: Request) -> str:
    queue_id: str = request.path_params["id"]
    if not is_id(queue_id):
        raise NotFound(user_message="There is no such queue.")
    return queue_id


def _id_or_none(text: str) -> str | None:
    if text and not is_id(text):
        raise WrongParameter("workspace", "There is no such workspace.")
    return text or None


def _whole(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= most):
        raise WrongParameter(name, f"{name} is a whole number up to {most}.")
    return int(text)
