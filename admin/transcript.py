"""/conversations/ID: a conversation as it was; /turns/ID: one turn of it."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from admin.console import Console
from admin.filters import is_id
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
        viewer: Viewer, conversation_id: str, around: int | None
    ) -> tuple[Transcript, list[TurnView], TakeoverView] | None:
        with store.read() as repositories:
            review = repositories.review(viewer.scope)
            transcript = review.transcript(conversation_id, around=around)
            takeover = takeover_view(review, viewer, conversation_id)
            if transcript is None or takeover is None:
                return None
            return transcript, view_all(review, transcript.turns), takeover

    def read_later(viewer: Viewer, conversation_id: str, after: int) -> list[TurnView] | None:
        with store.read() as repositories:
            review = repositories.review(viewer.scope)
            turns = review.later(conversation_id, after=after)
            return None if turns is None else view_all(review, turns)

    def read_one(viewer: Viewer, turn_id: str) -> TurnView | None:
        with store.read() as repositories:
            return view_turn(repositories.review(viewer.scope), turn_id)

    @routes.guarded("GET", "/conversations/{id}", Permission.READ)
    async def conversation(request: Request, viewer: Viewer) -> Response:
        conversation_id = request.path_params["id"]
        around = _number(request.query_params.get("turn", ""))
        found = await asyncio.to_thread(read, viewer, conversation_id, around) if is_id(conversation_id) else None
        if found is None:
            raise NotFound(user_message=_GONE)
        transcript, turns, takeover = found
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
            takeover=takeover,
        )

    # The page asks by itself, every few seconds, so asking is no use of the session.
    @routes.guarded("GET", "/conversations/{id}/later", Permission.READ, counts=False)
    async def later(request: Request, viewer: Viewer) -> Response:
        conversation_id = request.path_params["id"]
        after = _number(request.query_params.get("after", "")) or 0
        turns = await asyncio.to_thread(read_later, viewer, conversation_id, after) if is_id(conversation_id) else None
        if turns is None:
            raise NotFound(user_message=_GONE)
        if not turns:
            return Response(status_code=204)
        first, last = turns[0].turn.seq, turns[-1].turn.seq
        await console.log.note(request, viewer, Action.READ, conversation_id, first=first, last=last)
        return pages.show(request, viewer, "later.html", turns=turns, conversation_id=conversation_id, after=last)

    @routes.guarded("GET", "/turns/{id}", Permission.READ)
    async def turn(request: Request, viewer: Viewer) -> Response:
        turn_id = request.path_params["id"]
        view = await asyncio.to_thread(read_one, viewer, turn_id) if is_id(turn_id) else None
        if view is None:
            raise NotFound(user_message=_GONE)
        seq = view.turn.seq
        await console.log.note(request, viewer, Action.READ, view.turn.conversation_id, first=seq, last=seq)
        return pages.show(request, viewer, "turn.html", view=view)


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise WrongParameter("turn", "turn is the number of a turn.")
    return int(text)
