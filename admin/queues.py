"""/queues: turns that rules found for reviewers; working through them one after another."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.console import Console
from admin.filters import is_id
from admin.forms import read_form
from admin.log import add_entry
from admin.panels import place_address
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.errors import NotFound
from core.store.review.queues import QueueView
from core.store.reviewing.queues import Next
from core.values import utc_now

_GONE = "There is no such queue, or none that you may read."


def add_queues(routes: Routes, console: Console) -> None:
    """Add the pages for reviewers; `admin/queue_rules.py` has those in which owners say what a queue is for."""
    store, pages = console.services.store, console.pages

    def read_all(viewer: Viewer) -> dict[str, Any]:
        with store.read() as repositories:
            review = repositories.review(viewer.scope)
            shown: dict[str, Any] = {"queues": review.queues(), "labels": [], "workspaces": []}
            if viewer.may(Permission.SETTINGS):
                shown["labels"] = [label for label in repositories.labels.list() if label.retired_at is None]
                shown["workspaces"] = review.choices().workspaces
            return shown

    def read(viewer: Viewer, queue_id: str) -> tuple[QueueView, list[Any]]:
        with store.read() as repositories:
            view = repositories.review(viewer.scope).queue(queue_id, viewer.admin_id)
            labels = repositories.labels.list() if viewer.may(Permission.SETTINGS) else []
        if view is None:
            raise NotFound(user_message=_GONE)
        return view, labels

    def take(request: Request, viewer: Viewer, queue_id: str, skipped: str, done: str) -> Next | None:
        with store.write() as repositories:
            if not repositories.review(viewer.scope).queue_is_seen(queue_id):
                raise NotFound(user_message=_GONE)
            queues, now = repositories.queues, utc_now()
            if done:
                item = queues.finish(queue_id, done, viewer.scope, viewer.admin_id, now)
                add_entry(
                    repositories,
                    request,
                    viewer,
                    Action.QUEUE_DONE,
                    item.conversation_id,
                    queue=queue_id,
                    turn=item.seq,
                )
            found = queues.take_next(queue_id, viewer.scope, viewer.admin_id, now, skipped=skipped)
            if found is not None:
                told = {"queue": queue_id, "turn": found.seq}
                add_entry(repositories, request, viewer, Action.QUEUE_TAKEN, found.conversation_id, **told)
        return found

    @routes.guarded("GET", "/queues", Permission.REVIEW)
    async def queues(request: Request, viewer: Viewer) -> Response:
        shown = await asyncio.to_thread(read_all, viewer)
        await console.log.note(request, viewer, Action.QUEUE_READ)
        return pages.show(request, viewer, "queues.html", now=utc_now(), **shown)

    @routes.guarded("GET", "/queues/{id}", Permission.REVIEW)
    async def queue(request: Request, viewer: Viewer) -> Response:
        view, labels = await asyncio.to_thread(read, viewer, _id(request))
        await console.log.note(request, viewer, Action.QUEUE_READ, queue=view.row.queue.id)
        over = "over" in request.query_params
        return pages.show(request, viewer, "queue.html", view=view, labels=labels, over=over, now=utc_now())

    @routes.guarded("POST", "/queues/{id}/next", Permission.REVIEW)
    async def following(request: Request, viewer: Viewer) -> Response:
        queue_id, form = _id(request), await read_form(request)
        skipped, done = form.get("skip"), form.get("done")
        if any(word and not is_id(word) for word in (skipped, done)):
            raise NotFound(user_message=_GONE)
        found = await asyncio.to_thread(take, request, viewer, queue_id, skipped, done)
        if found is None:
            return RedirectResponse(f"/queues/{queue_id}?over=1", 303)
        return RedirectResponse(place_address(found.conversation_id, found.seq, queue_id=queue_id), 303)


def _id(request: Request) -> str:
    queue_id: str = request.path_params["id"]
    if not is_id(queue_id):
        raise NotFound(user_message=_GONE)
    return queue_id
