"""GET /api/my-data: all that is stored about the visitor, for himself."""

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bots.web.parts import Parts
from core.errors import Busy
from core.export.person import PersonExport
from serving.download import Download

# Downloads of one server at a time: each keeps a thread busy.
MOST_AT_ONCE = 2


def add_my_data(routes: APIRouter, parts: Parts) -> None:
    """Add the one route."""
    services = parts.services
    # By the ids of people.
    running: set[str] = set()

    @routes.get("/api/my-data")
    async def my_data(request: Request) -> Response:
        person_id = (await parts.auth.visitor(request)).person_id
        if person_id in running or len(running) >= MOST_AT_ONCE:
            raise Busy(user_message="Such a download is running already. Please try again in a moment.")
        running.add(person_id)
        try:
            export = await asyncio.to_thread(PersonExport, services.store, services.blobs, person_id)
        except BaseException:
            running.discard(person_id)
            raise

        async def ended(_how: str) -> None:
            running.discard(person_id)

        return Download(export.pieces(), f"glimt-my-data-{export.begun_at:%Y-%m-%d}.zip", "application/zip", ended)
