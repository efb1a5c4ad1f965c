"""Downloads that end otherwise than they should."""

from __future__ import annotations

import asyncio

from aiohttp import web


async def _begun(request: web.Request, content: bytes, media_type: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": media_type})
    response.content_length = len(content)
    await response.prepare(request)
    return response


async def slowly(request: web.Request, content: bytes, media_type: str, pause: float) -> web.StreamResponse:
    """All of it, in eight parts with `pause` seconds between them."""
    response = await _begun(request, content, media_type)
    step = len(content) // 8 + 1
    for start in range(0, len(content), step):
        await response.write(content[start : start + step])
        await asyncio.sleep(pause)
    return response


async def half(
    request: web.Request, content: bytes, media_type: str, how: str, stopping: asyncio.Event
) -> web.StreamResponse:
    """Half of the announced bytes, then the end (truncated), a broken connection (reset), or silence until `stopping`
    (hang)."""
    response = await _begun(request, content, media_type)
    await response.write(content[: len(content) // 2])
    if how == "hang":
        await stopping.wait()
    if request.transport is not None:
        if how == "truncated":
            request.transport.close()
        else:
            request.transport.abort()
    return response
