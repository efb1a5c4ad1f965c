"""GET /: the chat page, and its files under /static."""

from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
# Asked for each time and answered with 304, so that an update is seen at once.
_CACHE = "no-cache"


class PageFiles(StaticFiles):
    """The files beside the page."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """As starlette does it, but always asked for again."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = _CACHE
        return response


def add_page(app: FastAPI) -> None:
    """Serve the page and its files."""

    @app.api_route("/", methods=["GET", "HEAD"])
    async def page() -> Response:
        return FileResponse(STATIC / "index.html", headers={"cache-control": _CACHE})

    app.mount("/static", GZipMiddleware(PageFiles(directory=STATIC)), name="static")
