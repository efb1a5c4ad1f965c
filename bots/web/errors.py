"""Errors as HTTP: the right status, and a body in the shape that the caller knows.

/v1/…          {"error": {"message", "type", "param", "code"}}     OpenAI's, which its clients raise on
everywhere     {"error": {"code", "message"}}
"""

import json
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bots.web.headers import SECURITY_HEADERS
from core import errors
from core.errors import GlimtError, WrongParameter
from serving.statuses import retry_headers, status_of

log = structlog.get_logger(__name__)

OPENAI_PREFIX = "/v1/"
_NOTHING_HERE = "There is nothing at this address."
_OPENAI_SERVED = "Glimt serves POST /v1/chat/completions, GET /v1/models and GET /v1/models/NAME."
# Those of ours that OpenAI has a name for.
_OPENAI_CODES: dict[type[GlimtError], str] = {
    errors.NotSignedIn: "invalid_api_key",
    errors.QuotaReached: "rate_limit_exceeded",
}
# Clients that repeat by themselves wait no longer; a day is for people to decide about.
_REPEAT_WITHIN_S = 120
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def openai_error(error: GlimtError, status: int | None = None) -> dict[str, Any]:
    """`error` in OpenAI's shape."""
    status = status or openai_status(error)
    kind = _OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    parameter = error.parameter if isinstance(error, WrongParameter) else None
    code = _OPENAI_CODES.get(type(error), error.code)
    return {"error": {"message": error.user_message, "type": kind, "param": parameter, "code": code}}


def openai_status(error: GlimtError) -> int:
    """OpenAI's clients know no 422 for a request that cannot be done."""
    status = status_of(error)
    return 400 if status == 422 else status


def error_response(path: str, error: GlimtError) -> Response:
    """The response that tells a caller of `path` about `error`."""
    headers = retry_headers(error)
    if isinstance(error, errors.NotSignedIn):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, errors.QuotaReached) and error.retry_after_s > _REPEAT_WITHIN_S:
        headers["x-should-retry"] = "false"
    if path.startswith(OPENAI_PREFIX):
        return json_response(openai_error(error), openai_status(error), headers)
    return json_response({"error": {"code": error.code, "message": error.user_message}}, status_of(error), headers)


def json_response(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON as it is, without a model between."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(body, status, headers, media_type="application/json")


def install(app: FastAPI) -> None:
    """Make every error of `app` leave it in these shapes."""
    app.add_exception_handler(GlimtError, _glimt)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _glimt(request: Request, error: Exception) -> Response:
    assert isinstance(error, GlimtError)
    if status_of(error) >= 500:
        log.error("request_failed", path=request.url.path, code=error.code, error=str(error))
    return error_response(request.url.path, error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known: GlimtError
    if error.status_code == 404:
        openai = request.url.path.startswith(OPENAI_PREFIX)
        known = errors.NotFound(user_message=f"{_NOTHING_HERE} {_OPENAI_SERVED}" if openai else _NOTHING_HERE)
    else:
        known = errors.RequestError(user_message=str(error.detail))
    response = error_response(request.url.path, known)
    response.status_code = error.status_code
    response.headers.update(error.headers or {})
    return response


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = str(first["loc"][-1])
    return error_response(request.url.path, WrongParameter(name, f"{name}: {first['msg']}"))


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # Nobody is there to read it.


async def _unexpected(request: Request, _error: Exception) -> Response:
    # Starlette logs the traceback and sends this past all middleware, so the headers are put on here.
    response = error_response(request.url.path, GlimtError())
    response.headers.update(SECURITY_HEADERS)
    return response
