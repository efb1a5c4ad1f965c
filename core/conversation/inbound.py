"""What an adapter hands to intake, in the same form for every platform."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.errors import PictureError
from core.media.limits import PictureLimits
from core.media.pictures import SafePicture, read_pictures
from core.store.attachments import StoredFile
from core.values import Platform


@dataclass(frozen=True, slots=True)
class Named:
    """A readable picture and the name of the file that it came from."""

    name: str
    picture: SafePicture

    def stored(self, turn_id: str, position: int, *, of_answer: bool = False) -> StoredFile:
        """What the store keeps of it, at `position` (from 0) of the turn; see `StoredFile`."""
        return StoredFile(
            turn_id,
            position,
            name=self.name,
            blob_key=self.picture.key,
            media_type=self.picture.media_type,
            width=self.picture.width,
            height=self.picture.height,
            byte_size=len(self.picture.data),
            of_answer=of_answer,
        )


@dataclass(frozen=True, slots=True)
class Refused:
    """An unreadable file, to be named to the user."""

    name: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A file to be fetched later; `source` is the adapter's own reference. `counts`: it is known to be one file."""

    name: str
    source: Mapping[str, Any]
    counts: bool = True


@dataclass(frozen=True, slots=True)
class PastTurn:
    """An answered turn that a stateless client brings along."""

    question: str
    answer: str
    pictures: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class InboundQuestion:
    """One question as it arrived.

    `event_key` identifies the event on its platform; a second question with the same key is the same question, and so
    is one that shares any of `other_keys`. Where the sender chose the key, `content_hash` is a digest of all that was
    sent, and tells another question by it.
    `conversation` is the platform's name of the thread, `conversation_id` ours; without either, the conversation is the
    latest of its `place` (the platform's name of the channel, chat or topic); without that, too, a new one begins,
    unless `history` matches one that is stored. `reply_to` says where to answer, in the adapter's own words; adapters
    that send answers (`bots.chat.deliver`) must give it. `gather_until`: until then more may come that belongs to it
    (`core.conversation.joining`). `for_many`: the person is a program, and does not say for whom
    of its users it asks.
    """

    platform: Platform
    workspace: str
    person: str
    event_key: str
    question: str
    content_hash: str = ""
    other_keys: tuple[str, ...] = ()
    conversation: str | None = None
    conversation_id: str | None = None
    place: str = ""
    reply_to: Mapping[str, Any] = field(default_factory=dict)
    gather_until: datetime | None = None
    for_many: bool = False
    person_name: str = ""
    locale: str = ""
    system_prompt: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    pictures: tuple[Named, ...] = ()
    refused: tuple[Refused, ...] = ()
    pending: tuple[Pending, ...] = ()
    history: tuple[PastTurn, ...] = ()

    @property
    def keys(self) -> list[str]:
        """All keys of its event, each once, the most telling first."""
        return list(dict.fromkeys((self.event_key, *self.other_keys)))


@dataclass(frozen=True, slots=True)
class Accepted:
    """The question is committed. `duplicate`: it had been accepted before, and this is that turn.

    `handed_over`: a human answers in this conversation; nothing is delivered until he does.
    """

    turn_id: str
    conversation_id: str
    person_id: str
    duplicate: bool = False
    handed_over: bool = False


def read_upload(name: str, data: bytes, limits: PictureLimits) -> tuple[list[Named], list[Refused]]:
    """Make one uploaded file safe: its pictures (several for a PDF), or why it cannot be used."""
    try:
        return [Named(name, picture) for picture in read_pictures(data, limits)], []
    except PictureError as error:
        return [], [Refused(name, error.code, error.user_message)]
