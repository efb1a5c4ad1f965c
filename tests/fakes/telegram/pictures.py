"""What Telegram makes of the pictures and clips that people send: sizes, thumbnails, and their JSON."""

from __future__ import annotations

import functools
import io
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from tests.fakes.telegram.files import Download, StoredFile
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Json
from tests.fakes.telegram.world import World

PHOTO_LIMIT, PHOTO_EDGES, PHOTO_RATIO = 10 * 2**20, 10_000, 20
_EDGES = (90, 320, 800, 1_280)


@functools.lru_cache(maxsize=256)
def sizes(content: bytes) -> list[tuple[int, int, bytes]]:
    """Width, height and JPEG of every size, smallest first. Telegram compresses anew and keeps no EXIF.

    Raises:
        Refusal: it is no picture, or no photo's shape.
    """
    try:
        opened = Image.open(io.BytesIO(content))
        width, height = opened.size
        if width + height > PHOTO_EDGES or max(width, height) > PHOTO_RATIO * min(width, height):
            raise Refusal("PHOTO_INVALID_DIMENSIONS", fault=f"a photo of {width}x{height}")
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Refusal("IMAGE_PROCESS_FAILED", fault="a photo that is no picture") from None
    longest = max(picture.size)
    made: list[tuple[int, int, bytes]] = []
    for edge in [edge for edge in _EDGES if edge < longest] + [min(longest, _EDGES[-1])]:
        small = picture.copy()
        small.thumbnail((edge, edge))
        out = io.BytesIO()
        small.save(out, "JPEG", quality=87)
        if not made or small.size != made[-1][:2]:
            made.append((*small.size, out.getvalue()))
    return made


def photo(world: World, content: bytes, *, download: Download = "whole") -> tuple[Json, list[StoredFile]]:
    """A photo's part of a message, and its files, largest first."""
    listed: list[Json] = []
    files: list[StoredFile] = []
    for width, height, jpeg in sizes(content):
        file = world.add_file("photo", "", jpeg, media_type="image/jpeg", download=download)
        files.insert(0, file)
        listed.append(_file_json(file) | {"width": width, "height": height})
    return {"photo": listed}, files


def document(
    world: World,
    name: str,
    content: bytes,
    media_type: str,
    *,
    thumbnail: bytes | None = None,
    download: Download = "whole",
    size: int | None = None,
) -> tuple[Json, list[StoredFile]]:
    """A file as it is. `size`: what Telegram says that it has."""
    file = world.add_file(
        "document", name, content, media_type=media_type, download=download, size=len(content) if size is None else size
    )
    described = _file_json(file) | {"file_name": name, "mime_type": media_type}
    small = _thumbnail(world, thumbnail, described)
    return {"document": described}, [file, *small]


def clip(world: World, kind: str, content: bytes, picture: bytes, **more: Any) -> tuple[Json, list[StoredFile]]:
    """A video, animation or video_note (an MP4) with a thumbnail made of `picture`."""
    download: Download = more.pop("download", "whole")
    file = world.add_file(
        kind, "", content, media_type="video/mp4", download=download, size=more.pop("size", len(content))
    )
    width, height, _ = sizes(picture)[-1]
    described = _file_json(file) | {"duration": more.pop("duration", 3)}
    described |= {"length": width} if kind == "video_note" else {"width": width, "height": height}
    if kind != "video_note":
        described |= {"mime_type": "video/mp4", "file_name": f"{kind}.mp4"}
    files = [file, *_thumbnail(world, picture, described)]
    media: Json = {kind: described}
    if kind == "animation":
        # For old bots it is a document as well (core.telegram.org/bots/api#message).
        names = ("file_id", "file_unique_id", "file_size", "file_name", "mime_type", "thumbnail")
        media["document"] = {name: described[name] for name in names if name in described}
    return media, files


def live_photo(world: World, content: bytes, clip_bytes: bytes) -> tuple[Json, list[StoredFile]]:
    """A photo with a short clip; for old bots it is a photo as well."""
    still, files = photo(world, content)
    file = world.add_file("video", "", clip_bytes, media_type="video/mp4")
    width, height = (still["photo"][-1][name] for name in ("width", "height"))
    described = _file_json(file) | {"width": width, "height": height, "duration": 2, "mime_type": "video/mp4"}
    return {"live_photo": described | still, **still}, [*files, file]


def sticker(
    world: World, content: bytes, kind: str, picture: bytes | None, *, download: Download = "whole"
) -> tuple[Json, list[StoredFile]]:
    """A sticker of `kind` static (WEBP), animated (TGS) or video (WEBM)."""
    ending = {"static": "webp", "animated": "tgs", "video": "webm"}[kind]
    file = world.add_file("sticker", "", content, download=download, media_type=f"image/{ending}")
    described = _file_json(file) | {
        "width": 512,
        "height": 512,
        "is_animated": kind == "animated",
        "is_video": kind == "video",
        "type": "regular",
        "emoji": "🖼",
        "set_name": "glimpses",
    }
    return {"sticker": described}, [file, *_thumbnail(world, picture, described)]


def _thumbnail(world: World, picture: bytes | None, described: Json) -> list[StoredFile]:
    """Adds one to what is described."""
    if picture is None:
        return []
    width, height, jpeg = next(
        one for one in reversed(sizes(picture)) if max(one[:2]) <= 320 or one is sizes(picture)[0]
    )
    file = world.add_file("thumbnail", "", jpeg, media_type="image/jpeg")
    described["thumbnail"] = _file_json(file) | {"width": width, "height": height}
    return [file]


def _file_json(file: StoredFile) -> Json:
    return {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": file.size}
