"""Pages that repeat themselves much are sent compressed."""

import gzip

from starlette.requests import Request
from starlette.responses import Response

_LEAST = 1024


def compressed(request: Request, response: Response) -> Response:
    """The same, packed for browsers that can unpack it. Only for pages without secrets: the size would tell of them."""
    accepted = {word.partition(";")[0].strip() for word in request.headers.get("accept-encoding", "").split(",")}
    body = bytes(response.body)
    response.headers.add_vary_header("accept-encoding")
    if "gzip" not in accepted or len(body) < _LEAST or "content-encoding" in response.headers:
        return response
    packed = gzip.compress(body, 6, mtime=0)
    response.body = packed
    response.headers["content-encoding"] = "gzip"
    response.headers["content-length"] = str(len(packed))
    return response
