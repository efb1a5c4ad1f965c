"""The files beside a page."""

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

# Asked for each time and answered with 304, so that an update is seen at once.
CACHE = "no-cache"


class PageFiles(StaticFiles):
    """As starlette does it, but always asked for again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = CACHE
        return response
