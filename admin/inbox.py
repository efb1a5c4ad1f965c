"""/: the list of conversations, and what a search finds."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from admin.console import Console
from admin.filters import Filters
from admin.pages import wants_part
from admin.routes import Routes
from admin.snippets import snippet
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.policy.snapshot import snapshot_of
from core.store.words import runs_of, sought_words
from core.values import Platform, utc_now

# Conversations that wait for a human, above all others; the filter shows the rest.
WAITING = 10


def add_inbox(routes: Routes, console: Console) -> None:
    """Add the one page that finds conversations."""
    store, pages = console.services.store, console.pages

    def read(viewer: Viewer, filters: Filters, with_choices: bool) -> dict[str, Any]:
        with store.read() as repositories:
            review = repositories.review(viewer.scope)
            shown: dict[str, Any] = {}
            if with_choices:
                modes = snapshot_of(repositories.settings.newest()).persona_names()
                shown = {"choices": review.choices(), "review": review.review_choices(), "modes": modes}
                shown |= {"waiting": [], "waiting_more": 0}
                if not filters.said():
                    waiting = review.waiting(viewer.admin_id, limit=WAITING)
                    shown |= {"waiting": waiting, "waiting_more": max(0, review.count_waiting() - WAITING)}
            if not filters.q:
                inbox = review.inbox(filters.wanted, before=filters.before_conversation)
                older = filters.address(before=inbox.next) if inbox.next is not None else ""
                judge = viewer.admin_id if viewer.may(Permission.REVIEW) else ""
                marks = review.marks([row.conversation.id for row in inbox.rows], judge)
                return shown | {"inbox": inbox.rows, "marks": marks, "hits": None, "older": older}
            sought = sought_words(filters.q)
            found = review.search(sought, filters.wanted, before=filters.before_turn)
        runs = runs_of(filters.q)
        hits = [(hit, snippet(hit.turn.question, runs), snippet(hit.turn.answer, runs)) for hit in found.rows]
        older = filters.address(before=found.next) if found.next is not None else ""
        return shown | {"inbox": None, "hits": hits, "older": older, "nothing_to_seek": not sought}

    @routes.guarded("GET", "/", Permission.READ)
    async def inbox(request: Request, viewer: Viewer) -> Response:
        filters = Filters.of(request.query_params, console.services.settings.zone, me=viewer.admin_id)
        part = wants_part(request)
        shown = await asyncio.to_thread(read, viewer, filters, not part)
        action = Action.SEARCHED if filters.q else Action.LISTED
        await console.log.note(request, viewer, action, asked=filters.said())
        return pages.show(
            request,
            viewer,
            "list.html" if part else "inbox.html",
            **{"nothing_to_seek": False, **shown},
            now=utc_now(),
            filters=filters,
            platforms=[platform.value for platform in Platform],
        )
