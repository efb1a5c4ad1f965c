"""GET /: the chat page, and its files under /static."""

from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, Response

from serving.files import CACHE, PageFiles

STATIC = Path(__file__).parent / "static"


def add_page(app: FastAPI) -> None:
    """Serve the page and its files."""

    @app.api_route("/", methods=["GET", "HEAD"])
    async def page() -> Response:
        return FileResponse(STATIC / "index.html", headers={"cache-control": CACHE})

    app.mount("/static", GZipMiddleware(PageFiles(directory=STATIC)), name="static")
