"""/conversations/ID: a conversation as it was; /turns/ID: one turn of it."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from admin.console import Console
from admin.filters import is_id
from admin.panels import Opened, Panel, assignable, read_panels
from admin.routes import Routes
from admin.takeover_view import TakeoverView, takeover_view
from admin.viewer import Viewer
from admin.views import TurnView, view_all, view_turn
from core.admins import Action, Permission
from core.errors import NotFound, WrongParameter
from core.store.review.transcript import Transcript

_GONE = "There is no such conversation, or none that you may read."


def add_transcript(routes: Routes, console: Console) -> None:
    """Add the pages that show what was said."""
    store, pages = console.services.store, console.pages

    def read(
        viewer: Viewer, conversation_id: str, around: int | None, opened: Opened
    ) -> tuple[Transcript, list[TurnView], TakeoverView, dict[str, Any]] | None:
        with store.read() as repositories:
            review = repositories.review(viewer.scope)
            transcript = review.transcript(conversation_id, around=around)
            takeover = takeover_view(review, viewer, conversation_id)
            if transcript is None or takeover is None:
                return None
            marks = review.marks([conversation_id])
            turns = [page.turn for page in transcript.turns]
            panels = read_panels(
                repositories, viewer, turns, opened=around if opened.any else None, queue_id=opened.queue_id
            )
            names = assignable(repositories, viewer)
            shown = {"panels": panels, "assigned_to": marks[conversation_id].assigned_to, "names": names}
            return transcript, view_all(review, transcript.turns), takeover, shown

    def read_later(viewer: Viewer, conversation_id: str, after: int) -> tuple[list[TurnView], dict[str, Panel]] | None:
        with store.read() as repositories:
            review = repositories.review(viewer.scope)
            turns = review.later(conversation_id, after=after)
            if turns is None:
                return None
            return view_all(review, turns), read_panels(repositories, viewer, [page.turn for page in turns])

    def read_one(viewer: Viewer, turn_id: str, opened: Opened) -> tuple[TurnView, dict[str, Panel]] | None:
        with store.read() as repositories:
            view = view_turn(repositories.review(viewer.scope), turn_id)
            if view is None:
                return None
            seq = view.turn.seq if opened.any else None
            return view, read_panels(repositories, viewer, [view.turn], opened=seq, queue_id=opened.queue_id)

    @routes.guarded("GET", "/conversations/{id}", Permission.READ)
    async def conversation(request: Request, viewer: Viewer) -> Response:
        conversation_id = request.path_params["id"]
        around = _number(request.query_params.get("turn", ""))
        opened = Opened.of(request)
        found = None
        if is_id(conversation_id):
            found = await asyncio.to_thread(read, viewer, conversation_id, around, opened)
        if found is None:
            raise NotFound(user_message=_GONE)
        transcript, turns, takeover, reviewed = found
        shown = {"first": turns[0].turn.seq, "last": turns[-1].turn.seq} if turns else {}
        await console.log.note(request, viewer, Action.READ, conversation_id, **shown)
        return pages.show(
            request,
            viewer,
            "transcript.html",
            transcript=transcript,
            turns=turns,
            conversation_id=conversation_id,
            after=turns[-1].turn.seq if turns else 0,
            at={"turn": around or "", "queue": opened.queue_id} if opened.any else {},
            takeover=takeover,
            **reviewed,
        )

    # The page asks by itself, every few seconds, so asking is no use of the session.
    @routes.guarded("GET", "/conversations/{id}/later", Permission.READ, counts=False)
    async def later(request: Request, viewer: Viewer) -> Response:
        conversation_id = request.path_params["id"]
        after = _number(request.query_params.get("after", "")) or 0
        found = await asyncio.to_thread(read_later, viewer, conversation_id, after) if is_id(conversation_id) else None
        if found is None:
            raise NotFound(user_message=_GONE)
        turns, panels = found
        if not turns:
            return Response(status_code=204)
        first, last = turns[0].turn.seq, turns[-1].turn.seq
        await console.log.note(request, viewer, Action.READ, conversation_id, first=first, last=last)
        shown = {"turns": turns, "panels": panels, "conversation_id": conversation_id, "after": last}
        return pages.show(request, viewer, "later.html", **shown)

    @routes.guarded("GET", "/turns/{id}", Permission.READ)
    async def turn(request: Request, viewer: Viewer) -> Response:
        turn_id = request.path_params["id"]
        found = await asyncio.to_thread(read_one, viewer, turn_id, Opened.of(request)) if is_id(turn_id) else None
        if found is None:
            raise NotFound(user_message=_GONE)
        view, panels = found
        seq = view.turn.seq
        await console.log.note(request, viewer, Action.READ, view.turn.conversation_id, first=seq, last=seq)
        return pages.show(request, viewer, "turn.html", view=view, panels=panels)


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise WrongParameter("turn", "turn is the number of a turn.")
    return int(text)
