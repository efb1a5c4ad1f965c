"""/pictures/ID: what people sent; a thumbnail, all of it, and a page that shows it with its boxes."""

import asyncio
import io

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from admin.console import Console
from admin.filters import is_id
from admin.routes import Routes
from admin.viewer import Viewer
from admin.views import SHOWN, TurnView, view_turn
from core.admins import Action, Permission
from core.errors import NotFound
from core.store.models import Attachment, Turn
from core.values import AttachmentState

# The types that `core.media` writes; anything else is not shown.
_TYPES = ("image/jpeg", "image/png", "image/webp")
# Sharp on a screen with two dots for each pixel.
THUMBNAIL = 2 * SHOWN
_QUALITY = 80
_GONE = "There is no such picture, or none that you may see."


def add_pictures(routes: Routes, console: Console) -> None:
    """Add the routes that show pictures."""
    store, blobs, pages = console.services.store, console.services.blobs, console.pages

    def find(viewer: Viewer, attachment_id: str) -> tuple[Attachment, Turn] | None:
        with store.read() as repositories:
            return repositories.review(viewer.scope).attachment(attachment_id)

    def read_turn(viewer: Viewer, turn_id: str) -> TurnView | None:
        with store.read() as repositories:
            return view_turn(repositories.review(viewer.scope), turn_id)

    async def stored(request: Request, viewer: Viewer) -> tuple[Attachment, Turn]:
        attachment_id = request.path_params["id"]
        found = await asyncio.to_thread(find, viewer, attachment_id) if is_id(attachment_id) else None
        if found is None or found[0].state != AttachmentState.STORED or found[0].media_type not in _TYPES:
            raise NotFound(user_message=_GONE)
        return found

    @routes.guarded("GET", "/pictures/{id}", Permission.READ)
    async def picture(request: Request, viewer: Viewer) -> Response:
        attachment, turn = await stored(request, viewer)
        await console.log.note(request, viewer, Action.READ_PICTURE, turn.conversation_id, turn=turn.seq)
        headers = _headers(attachment.blob_key)
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        data = await asyncio.to_thread(blobs.get, attachment.blob_key)
        return Response(data, headers=headers, media_type=attachment.media_type)

    @routes.guarded("GET", "/pictures/{id}/small", Permission.READ)
    async def small(request: Request, viewer: Viewer) -> Response:
        # Part of reading a transcript, which is in the audit log.
        attachment, _ = await stored(request, viewer)
        headers = _headers(f"{attachment.blob_key}-{THUMBNAIL}")
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        data = await asyncio.to_thread(lambda: thumbnail(blobs.get(attachment.blob_key)))
        return Response(data, headers=headers, media_type="image/webp")

    @routes.guarded("GET", "/turns/{turn}/pictures/{id}", Permission.READ)
    async def in_full(request: Request, viewer: Viewer) -> Response:
        turn_id = request.path_params["turn"]
        view = await asyncio.to_thread(read_turn, viewer, turn_id) if is_id(turn_id) else None
        shown = [] if view is None else [*view.pictures, *view.answer_pictures]
        if view is not None and view.pointed is not None:
            shown.append(view.pointed)
        picture = next((picture for picture in shown if picture.id == request.path_params["id"]), None)
        if view is None or picture is None:
            raise NotFound(user_message=_GONE)
        return pages.show(request, viewer, "picture.html", view=view, picture=picture)


def thumbnail(data: bytes) -> bytes:
    """A picture of ours (`core.media`), no side longer than `THUMBNAIL`, as WebP."""
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as opened:
        opened.draft("RGB", (THUMBNAIL, THUMBNAIL))
        shown = opened.convert("RGB")
    shown.thumbnail((THUMBNAIL, THUMBNAIL))
    written = io.BytesIO()
    shown.save(written, "WEBP", quality=_QUALITY)
    return written.getvalue()


def _headers(tag: str) -> dict[str, str]:
    return {
        "etag": f'"{tag}"',
        # The browser may keep it but asks each time: after signing out it is shown to nobody.
        "cache-control": "private, no-cache",
        "content-security-policy": "default-src 'none'; sandbox",
        "content-disposition": "inline",
    }
