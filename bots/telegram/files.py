"""What in a message can be looked at, as references that are fetched later.

A reference's `source`: `file_id` fetches it, `unique` tells one file from another, `size` in bytes where Telegram says
it, `message` is the message's id, `still`: it is a picture out of something that moves. Where nothing can be fetched
there is `why` instead, in words for people.
"""

from collections.abc import Sequence
from typing import Any

from telegram import Document, ExternalReplyInfo, Message, PhotoSize, Sticker

from bots.chat.texts import text_id
from core.conversation.inbound import Pending
from serving.text import file_name

NO_PICTURE = text_id("This is no picture. Please send a photo, an image file or a PDF.")
NO_STILL = text_id("Telegram has no still picture of it. Please send a screenshot.")
# Types that cannot be pictures whatever is in them; everything else is judged by its bytes.
_NEVER = ("audio/", "text/", "font/", "application/zip", "application/json", "application/x-tgsticker")


def references(media: Message | ExternalReplyInfo, message_id: int) -> tuple[Pending, ...]:
    """The pictures of a message; empty: it has none."""
    if media.live_photo is not None and media.live_photo.photo:
        return (_largest("live photo", media.live_photo.photo, message_id),)
    if media.photo:
        return (_largest("photo", media.photo, message_id),)
    # An animation is a document as well, for older clients.
    if media.animation is not None:
        return (_still("animation", media.animation.file_name, media.animation, message_id),)
    if media.video is not None:
        return (_still("video", media.video.file_name, media.video, message_id, media.video.cover or ()),)
    if media.video_note is not None:
        return (_still("video message", None, media.video_note, message_id),)
    if media.sticker is not None:
        return (_sticker(media.sticker, message_id),)
    if media.document is not None:
        return (_document(media.document, message_id),)
    return ()


def is_picture(message: Message) -> bool:
    """Whether somebody has sent a picture: no sticker, nothing that moves, no other kind of file."""
    if message.photo or message.live_photo is not None:
        return True
    kind = (message.document.mime_type or "") if message.document is not None else ""
    return message.animation is None and (kind.startswith("image/") or kind == "application/pdf")


def _reference(name: str, file: Any, message_id: int, *, still: bool = False) -> Pending:
    source = {
        "file_id": file.file_id,
        "unique": file.file_unique_id,
        "size": file.file_size or 0,
        "message": message_id,
        "still": still,
    }
    return Pending(name, source)


def _refused(name: str, file: Any, message_id: int, why: str) -> Pending:
    return Pending(name, {"why": why, "unique": file.file_unique_id, "message": message_id})


def _largest(name: str, sizes: Sequence[PhotoSize], message_id: int) -> Pending:
    return _reference(name, max(sizes, key=lambda size: (size.width * size.height, size.file_size or 0)), message_id)


def _still(kind: str, name: str | None, file: Any, message_id: int, covers: Sequence[PhotoSize] = ()) -> Pending:
    shown = file_name(name) if name else kind
    stills = [*covers, *([file.thumbnail] if file.thumbnail is not None else [])]
    if not stills:
        return _refused(shown, file, message_id, NO_STILL)
    best = max(stills, key=lambda size: size.width * size.height)
    return _reference(shown, best, message_id, still=True)


def _sticker(sticker: Sticker, message_id: int) -> Pending:
    if sticker.is_animated or sticker.is_video:
        return _still("sticker", None, sticker, message_id)
    return _reference("sticker", sticker, message_id)


def _document(document: Document, message_id: int) -> Pending:
    name = file_name(document.file_name) if document.file_name else "file"
    kind = document.mime_type or ""
    if kind.startswith("video/"):
        return _still("video", document.file_name, document, message_id)
    if kind.startswith(_NEVER):
        return _refused(name, document, message_id, NO_PICTURE)
    return _reference(name, document, message_id)
