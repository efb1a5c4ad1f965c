"""New messages: text, photos, documents, albums, rich messages; and what passes: typing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.telegram import pictures
from tests.fakes.telegram.arguments import Upload
from tests.fakes.telegram.files import StoredFile
from tests.fakes.telegram.keyboards import read_markup
from tests.fakes.telegram.methods.rich import read_rich
from tests.fakes.telegram.methods.where import answered, destination, reach
from tests.fakes.telegram.methods.words import read_caption, read_text
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Chat, Json

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

_ACTIONS = {
    *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document"),
    *("choose_sticker", "find_location", "record_video_note", "upload_video_note"),
}
_MEDIA = {
    *("type", "media", "caption", "parse_mode", "caption_entities", "show_caption_above_media", "has_spoiler"),
    *("thumbnail", "disable_content_type_detection"),
}
_PREVIEW = {"is_disabled", "url", "prefer_small_media", "prefer_large_media", "show_above_text"}
_NO_FILE = "wrong file identifier/HTTP URL specified"
Media = tuple[Json, list[StoredFile]]


def _send_message(fake: FakeTelegram, arguments: Json) -> Json:
    chat, thread = destination(fake, arguments)
    text, entities = read_text(arguments)
    if unknown := set(arguments.get("link_preview_options", {})) - _PREVIEW:
        raise Refusal(f"can't parse link preview options: {sorted(unknown)}", fault=f"link_preview_options {unknown}")
    return posted(fake, arguments, chat, thread, text=text, entities=entities)


def _send_photo(fake: FakeTelegram, arguments: Json) -> Json:
    chat, thread = destination(fake, arguments)
    text, entities = read_caption(arguments)
    media, files = read_photo(fake, arguments, arguments["photo"])
    return posted(fake, arguments, chat, thread, text=text, entities=entities, media=media, files=files)


def _send_document(fake: FakeTelegram, arguments: Json) -> Json:
    chat, thread = destination(fake, arguments)
    text, entities = read_caption(arguments)
    media, files = read_document(fake, arguments, arguments["document"])
    return posted(fake, arguments, chat, thread, text=text, entities=entities, media=media, files=files)


def _send_rich(fake: FakeTelegram, arguments: Json) -> Json:
    chat, thread = destination(fake, arguments)
    rich, text = read_rich(arguments["rich_message"])
    answer = posted(fake, arguments, chat, thread, text=text, rich=rich)
    # The words are in rich_message; the message has no text beside it.
    return {name: value for name, value in answer.items() if name not in ("text", "entities")}


def _send_album(fake: FakeTelegram, arguments: Json) -> list[Json]:
    chat, thread = destination(fake, arguments)
    items = arguments["media"]
    if not 2 <= len(items) <= 10:
        raise Refusal("wrong number of media in an album: 2-10 are allowed", fault=f"an album of {len(items)}")
    read: list[tuple[str, list[Json], Media]] = []
    for item in items:
        read.append((*read_caption(item), read_media(fake, arguments, item)))
    if len({item["type"] for item in items}) > 1:
        raise Refusal("Can't use the media of the specified type in the album", fault="documents beside photos")
    group = str(13_000_000_000_000_000 + next(fake.world.numbers))
    return [
        posted(fake, arguments, chat, thread, text=t, entities=e, media=m, files=f, media_group=group)
        for t, e, (m, f) in read
    ]


def read_media(fake: FakeTelegram, arguments: Json, item: Json) -> Media:
    """An InputMedia.

    Raises:
        Refusal: it is none, or not one that the fake knows.
    """
    if unknown := set(item) - _MEDIA:
        raise Refusal(f"can't parse InputMedia: unknown field {sorted(unknown)}", fault=f"InputMedia {item}")
    make = {"photo": read_photo, "document": read_document}.get(item.get("type", ""))
    if make is None:
        raise Refusal("can't parse InputMedia: media type is not supported", fault=f"InputMedia {item}")
    return make(fake, arguments, item.get("media"))


def posted(fake: FakeTelegram, arguments: Json, chat: Chat, thread: int, **parts: Any) -> Json:
    """The bot's new message, as it is answered.

    Raises:
        Refusal: its reply_parameters or reply_markup are wrong.
    """
    reply_to, external, quote = answered(fake, arguments, chat)
    markup = read_markup(arguments.get("reply_markup"))
    if reply_to is not None and not thread:
        thread = reply_to.thread
    sender = chat.connection.owner if chat.connection is not None else fake.bot
    message = fake.world.add_message(
        chat,
        sender,
        reply_to=reply_to,
        external=external,
        quote=quote,
        thread=thread,
        markup=markup,
        by_bot=chat.connection is not None,
        **parts,
    )
    fake.sent.append(message)
    # A message ends the drafts of its chat and topic.
    for key in [key for key in chat.drafts if key[0] == thread]:
        del chat.drafts[key]
    fake.echo(message)
    return fake.json(message)


def _upload(arguments: Json, given: Any) -> Any:
    """What is to be sent: an `Upload`, the file behind attach://, or a file_id."""
    if isinstance(given, str) and given.startswith("attach://"):
        found = arguments["attached"].get(given.removeprefix("attach://"))
        if found is None:
            raise Refusal(_NO_FILE, fault=f"{given} is not in the form")
        given = found
    if isinstance(given, str) and given.startswith(("http://", "https://")):
        raise Refusal("failed to get HTTP URL content", fault=f"a file by its address, {given}")
    if isinstance(given, Upload) and not given.content:
        raise Refusal("file must be non-empty", fault="an empty file")
    return given


def read_photo(fake: FakeTelegram, arguments: Json, given: Any) -> Media:
    """A photo that is uploaded, or named by its file_id.

    Raises:
        Refusal: it is none, is too large, or has no photo's shape.
    """
    upload = _upload(arguments, given)
    if isinstance(upload, Upload):
        if len(upload.content) > pictures.PHOTO_LIMIT:
            raise Refusal(
                f"file of size {len(upload.content)} bytes is too big for a photo; the maximum size is "
                f"{pictures.PHOTO_LIMIT} bytes",
                fault="a photo of more than 10 MB",
            )
        return pictures.photo(fake.world, upload.content)
    file = fake.world.file(upload, _NO_FILE)
    if file.folder != "photos":
        raise Refusal(f"can't use file of type {file.folder[:-1].title()} as Photo", fault="a file_id of another type")
    return pictures.photo(fake.world, file.content)


def read_document(fake: FakeTelegram, arguments: Json, given: Any) -> Media:
    """A document likewise.

    Raises:
        Refusal: it is none, or empty.
    """
    upload = _upload(arguments, given)
    if isinstance(upload, Upload):
        return pictures.document(fake.world, upload.name, upload.content, upload.media_type)
    file = fake.world.file(upload, _NO_FILE)
    if file.folder != "documents":
        raise Refusal(
            f"can't use file of type {file.folder[:-1].title()} as Document", fault="a file_id of another type"
        )
    return pictures.document(fake.world, file.name, file.content, file.media_type)


def _act(fake: FakeTelegram, arguments: Json) -> bool:
    destination(fake, arguments)
    if arguments["action"] not in _ACTIONS:
        raise Refusal("wrong parameter action in request", fault=f"action {arguments['action']}")
    chat = reach(fake, arguments["chat_id"], arguments.get("business_connection_id", ""))
    chat.actions.append((fake.clock.now(), arguments["action"]))
    return True


def _react(fake: FakeTelegram, arguments: Json) -> bool:
    chat = reach(fake, arguments["chat_id"])
    message = fake.world.message(chat, arguments["message_id"], "message to react not found")
    reactions = arguments.get("reaction", [])
    if len(reactions) > 1 or any(one.get("type") != "emoji" for one in reactions):
        raise Refusal("REACTIONS_TOO_MANY", fault=f"reaction {reactions}")
    message.reactions[fake.bot.id] = [one["emoji"] for one in reactions]
    return True


HANDLERS = {
    "sendMessage": _send_message,
    "sendPhoto": _send_photo,
    "sendDocument": _send_document,
    "sendRichMessage": _send_rich,
    "sendMediaGroup": _send_album,
    "sendChatAction": _act,
    "setMessageReaction": _react,
}
