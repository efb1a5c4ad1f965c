"""What people say and send."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fakes.telegram import pictures
from tests.fakes.telegram.entities import found
from tests.fakes.telegram.files import Download, StoredFile
from tests.fakes.telegram.people import People
from tests.fakes.telegram.state import Chat, Json, Message, Topic, User, Version

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Said:
    """What somebody sent: several messages for an album, in the order of the album. `late`: those whose updates have
    not come yet; `arrive` brings them."""

    messages: list[Message]
    fake: Speaking
    late: list[Message] = field(default_factory=list)

    @property
    def message(self) -> Message:
        """The first, or the only one."""
        return self.messages[0]

    @property
    def id(self) -> int:
        """Of `message`."""
        return self.message.id

    @property
    def files(self) -> list[StoredFile]:
        """All files in it."""
        return [file for message in self.messages for file in message.files]

    def arrive(self) -> None:
        """The updates that were late come now."""
        with self.fake.lock:
            for message in self.late:
                self.fake.tell(message)
            self.late = []
        self.fake.changed()


class Speaking(People):
    """Text and media. Everywhere: `reply_to` a message, of this chat or, as Telegram lets people, of another one;
    `quote` a part of its text; `topic` of a forum; `anonymous` as the group itself; `silent` no update; `late` it comes
    with `Said.arrive`."""

    def say(self, user: User, chat: Chat, text: str, **how: Any) -> Said:
        """Somebody writes. Commands, mentions and links in it become entities."""
        return self._said(user, chat, [({}, [])], text, **how)

    def start(self, user: User, payload: str = "") -> Said:
        """Somebody presses Start, or follows a deep link with a payload."""
        return self.say(user, self.private(user), f"/start {payload}".strip())

    def photo(self, user: User, chat: Chat, picture: bytes, caption: str = "", **how: Any) -> Said:
        """A photo, as the app of Telegram sends it: made smaller, as JPEG, in several sizes."""
        download: Download = how.pop("download", "whole")
        return self._said(user, chat, [pictures.photo(self.world, picture, download=download)], caption, **how)

    def album(
        self,
        user: User,
        chat: Chat,
        pictures_: Sequence[bytes],
        caption: str = "",
        *,
        late: int = 0,
        shuffle: int | None = None,
        captions: Sequence[str] | None = None,
        documents: bool = False,
        **how: Any,
    ) -> Said:
        """Two to ten photos (or `documents`) as one. The caption stands at the first, `captions` give each its own.

        Args:
            late: so many of the last do not come before `Said.arrive`.
            shuffle: the seed of another order in which their updates come.
        """
        if not 2 <= len(pictures_) <= 10:
            raise ValueError("an album has two to ten pictures")
        if documents:
            media = [
                pictures.document(self.world, f"scan-{number}.png", one, "image/png", thumbnail=one)
                for number, one in enumerate(pictures_)
            ]
        else:
            media = [pictures.photo(self.world, one) for one in pictures_]
        return self._said(user, chat, media, caption, captions=captions, late_ones=late, shuffle=shuffle, **how)

    def document(self, user: User, chat: Chat, name: str, content: bytes, caption: str = "", **how: Any) -> Said:
        """A file as it is: an uncompressed picture, HEIC, PDF, anything. `media_type` is by its name when not given;
        `thumbnail`: a picture to make one of; `size`: what Telegram says that it has; `download`: see `StoredFile`."""
        media_type = how.pop("media_type", None) or _media_type(name)
        more = {key: how.pop(key) for key in ("thumbnail", "download", "size") if key in how}
        made = pictures.document(self.world, name, content, media_type, **more)
        return self._said(user, chat, [made], caption, **how)

    def clip(
        self, user: User, chat: Chat, kind: str, content: bytes, picture: bytes, caption: str = "", **how: Any
    ) -> Said:
        """A video, an animation or a video_note. `picture` is its thumbnail."""
        more = {key: how.pop(key) for key in ("download", "size", "duration") if key in how}
        made = pictures.clip(self.world, kind, content, picture, **more)
        return self._said(user, chat, [made], caption, **how)

    def live_photo(self, user: User, chat: Chat, picture: bytes, content: bytes, caption: str = "", **how: Any) -> Said:
        """A photo that moves."""
        return self._said(user, chat, [pictures.live_photo(self.world, picture, content)], caption, **how)

    def sticker(
        self, user: User, chat: Chat, content: bytes, *, kind: str = "static", picture: bytes | None = None, **how: Any
    ) -> Said:
        """A sticker of `kind` static (WEBP), animated (TGS) or video (WEBM), with a thumbnail of `picture`."""
        download: Download = how.pop("download", "whole")
        return self._said(
            user, chat, [pictures.sticker(self.world, content, kind, picture, download=download)], "", **how
        )

    def forward(self, user: User, chat: Chat, said: Said, *, hidden: bool = False, **how: Any) -> Said:
        """Somebody passes on what was said elsewhere, an album as an album. `hidden`: its author does not want to be
        linked to."""
        author = said.message.sender
        origin: Json = {"type": "user", "sender_user": author.as_json(), "date": said.message.date}
        if hidden:
            origin = {"type": "hidden_user", "sender_user_name": author.name, "date": said.message.date}
        media = [(message.media, message.files) for message in said.messages]
        texts = [message.text for message in said.messages]
        return self._said(user, chat, media, "", captions=texts, origin=origin, **how)

    def other(self, user: User, chat: Chat, content: Json, **how: Any) -> Said:
        """Anything else, by its part of a `Message`: `{"dice": {"emoji": "🎲", "value": 6}}`."""
        return self._said(user, chat, [(content, [])], "", **how)

    def edit(self, message: Message, text: str, *, silent: bool = False) -> None:
        """Its author changes its text or caption."""
        with self.lock:
            message.text, message.entities = text, found(text)
            message.edited = max(self.world.today(), message.date + 1)
            message.versions.append(Version(self.clock.now(), message.text, message.labels))
            if not silent:
                self.tell(message, edited=True)
        self.changed()

    def delete(self, *messages: Message) -> None:
        """People delete messages. Telegram tells bots nothing of it, except in Business chats."""
        with self.lock:
            for message in messages:
                message.deleted_at = self.clock.now()
            first = messages[0]
            if first.connection is not None and first.connection.enabled:
                body: Json = {
                    "business_connection_id": first.connection.id,
                    "chat": first.chat.as_json(),
                    "message_ids": [message.id for message in messages],
                }
                self.updates.push("deleted_business_messages", body, first.chat.id)
        self.changed()

    def _said(
        self,
        user: User,
        chat: Chat,
        media: list[tuple[Json, list[StoredFile]]],
        text: str,
        *,
        reply_to: Message | Said | None = None,
        quote: str = "",
        topic: Topic | None = None,
        captions: Sequence[str] | None = None,
        late_ones: int = 0,
        shuffle: int | None = None,
        origin: Json | None = None,
        anonymous: bool = False,
        silent: bool = False,
        late: bool = False,
    ) -> Said:
        target = reply_to.message if isinstance(reply_to, Said) else reply_to
        here = target is not None and target.chat is chat
        with self.lock:
            if not chat.group and chat.connection is None:
                user.started = True
            group = str(13_000_000_000_000_000 + next(self.world.numbers)) if len(media) > 1 else ""
            messages: list[Message] = []
            for number, (described, files) in enumerate(media):
                words = captions[number] if captions is not None else (text if number == 0 else "")
                messages.append(
                    self.world.add_message(
                        chat,
                        user,
                        text=words,
                        entities=found(words),
                        media=described,
                        files=files,
                        media_group=group,
                        origin=origin or {},
                        anonymous=anonymous,
                        reply_to=target if here else None,
                        external=None if here else target,
                        quote=quote,
                        thread=topic.id if topic is not None else (target.thread if here and target else 0),
                    )
                )
            cut = 0 if late else len(messages) - late_ones
            now, waiting = messages[:cut], messages[cut:]
            if shuffle is not None:
                random.Random(shuffle).shuffle(now)
            for message in [] if silent else now:
                self.tell(message)
        self.changed()
        return Said(messages, self, [] if silent else waiting)


def _media_type(name: str) -> str:
    """By the name, as Telegram's apps have it."""
    ending = name.rpartition(".")[2].lower()
    return _TYPES.get(ending, "application/octet-stream")


_TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "bmp": "image/bmp",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "zip": "application/zip",
    "mp4": "video/mp4",
}
