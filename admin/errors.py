"""Errors as pages, and the way to the sign-in page."""

from urllib.parse import quote, urlsplit

import structlog
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from admin.headers import SECURITY_HEADERS
from admin.pages import Pages, wants_part
from core.errors import GlimtError, NotFound, NotSignedIn, RequestError
from serving.statuses import retry_headers, status_of

log = structlog.get_logger(__name__)

SIGN_IN = "/sign-in"
# Here errors are told as JSON.
FOR_PROGRAMS = "/api/"


def install(app: FastAPI, pages: Pages) -> None:
    """Make every error of `app` a page."""

    def page(request: Request, error: GlimtError, status: int) -> Response:
        if request.url.path.startswith(FOR_PROGRAMS):
            return _told(error, status)
        response = pages.show(request, None, "error.html", status=status, message=error.user_message)
        response.headers.update(retry_headers(error))
        return response

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, GlimtError)
        status = status_of(error)
        if isinstance(error, NotSignedIn):
            return _to_sign_in(request) or page(request, error, status)
        if status >= 500:
            log.error("request_failed", path=request.url.path, code=error.code, error=str(error))
        return page(request, error, status)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        known: GlimtError = RequestError(user_message=str(error.detail))
        if error.status_code == 404:
            known = NotFound(user_message="There is nothing at this address.")
        response = page(request, known, error.status_code)
        response.headers.update(error.headers or {})
        return response

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)  # Nobody is there to read it.

    async def unexpected(request: Request, _error: Exception) -> Response:
        # Starlette logs the traceback and sends this past all middleware, so the headers are put on here.
        response = page(request, GlimtError(), 500)
        response.headers.update(SECURITY_HEADERS)
        return response

    app.add_exception_handler(GlimtError, ours)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, unexpected)


def local_path(address: str) -> str:
    """`address` if it is a path here, else the first page: nobody is led elsewhere after signing in."""
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if plain and not address.startswith(SIGN_IN) else "/"


def _told(error: GlimtError, status: int) -> Response:
    said = {"error": {"code": error.code, "message": error.user_message}}
    headers = retry_headers(error) | ({"www-authenticate": "Bearer"} if status == 401 else {})
    return JSONResponse(said, status, headers=headers)


def _to_sign_in(request: Request) -> Response | None:
    """Where a browser goes that shows a page; None: whoever asked shows none."""
    if wants_part(request):
        current = urlsplit(request.headers.get("hx-current-url", ""))
        after = f"{current.path}?{current.query}" if current.query else current.path
        return Response(status_code=401, headers={"hx-redirect": f"{SIGN_IN}?next={quote(local_path(after))}"})
    if request.url.path.startswith(FOR_PROGRAMS) and "authorization" in request.headers:
        return None
    if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        return None
    after = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{SIGN_IN}?next={quote(local_path(after))}", 303)
