"""/export/people, /people/ID/export: all that is stored about one person. For owners."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from admin.console import Console
from admin.exports import file_name, still_allowed
from admin.filters import LONGEST, is_id
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.errors import NotFound
from core.export.person import PersonExport
from core.store.models import Person, Workspace
from serving.download import Download


def add_personal(routes: Routes, console: Console) -> None:
    """Add the page that finds people, and the archive of one."""
    services, pages = console.services, console.pages

    def find(words: str) -> list[tuple[Person, Workspace]]:
        with services.store.read() as repositories:
            return repositories.personal.find(words)

    @routes.guarded("GET", "/export/people", Permission.PERSON)
    async def people(request: Request, viewer: Viewer) -> Response:
        words = request.query_params.get("person", "").strip()[:LONGEST]
        found = await asyncio.to_thread(find, words) if words else []
        if words:
            await console.log.note(request, viewer, Action.SEARCHED, asked={"people": words})
        return pages.show(request, viewer, "people.html", words=words, found=found)

    @routes.guarded("POST", "/people/{id}/export", Permission.PERSON)
    async def person(request: Request, viewer: Viewer) -> Response:
        person_id = request.path_params["id"]
        if not is_id(person_id):
            raise NotFound(user_message="There is no such person.")
        still = still_allowed(console.door, console.bearers, viewer)
        export = await asyncio.to_thread(lambda: PersonExport(services.store, services.blobs, person_id, still=still))
        await console.log.note(request, viewer, Action.PERSON_EXPORTED, person_id=person_id)

        async def ended(how: str) -> None:
            await console.log.note(request, viewer, Action.EXPORT_ENDED, how=how, person_id=person_id, **export.counts)

        return Download(export.pieces(), file_name("person", export.begun_at, "zip"), "application/zip", ended)
