"""/sessions: where an admin is signed in, and signing out there."""

import asyncio

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.console import Console
from admin.errors import SIGN_IN
from admin.forms import read_form
from admin.log import add_entry
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.store.admin_tables import AdminSession


def add_sessions(routes: Routes, console: Console) -> None:
    """Add the page of an admin's own sessions."""
    store, pages = console.services.store, console.pages

    def mine(viewer: Viewer) -> list[AdminSession]:
        with store.read() as repositories:
            return repositories.admin_sessions.of_admin(viewer.admin_id)

    def end_one(request: Request, viewer: Viewer, session_id: str) -> None:
        with store.write() as repositories:
            if repositories.admin_sessions.end(session_id, viewer.admin_id):
                add_entry(repositories, request, viewer, Action.SESSION_ENDED, sessions=1)

    def end_all(request: Request, viewer: Viewer) -> None:
        with store.write() as repositories:
            ended = repositories.admin_sessions.end_all(viewer.admin_id)
            add_entry(repositories, request, viewer, Action.SESSION_ENDED, sessions=ended)

    @routes.guarded("GET", "/sessions", Permission.READ)
    async def sessions(request: Request, viewer: Viewer) -> Response:
        return pages.show(request, viewer, "sessions.html", sessions=await asyncio.to_thread(mine, viewer))

    @routes.guarded("POST", "/sessions/end", Permission.READ)
    async def end(request: Request, viewer: Viewer) -> Response:
        session_id = (await read_form(request)).get("session")
        await asyncio.to_thread(end_one, request, viewer, session_id)
        return RedirectResponse(SIGN_IN if session_id == viewer.session_id else "/sessions", 303)

    @routes.guarded("POST", "/sessions/end-all", Permission.READ)
    async def end_everywhere(request: Request, viewer: Viewer) -> Response:
        await asyncio.to_thread(end_all, request, viewer)
        return RedirectResponse(SIGN_IN, 303)
