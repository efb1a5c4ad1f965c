"""What Telegram's messages say, as far as it concerns us."""

from dataclasses import dataclass
from datetime import UTC, datetime

from telegram import ExternalReplyInfo, Message, User
from telegram.constants import ChatID, ChatType

from bots.telegram.files import is_picture, references
from bots.telegram.target import Target, message_key, place_name, post_id, update_key
from bots.telegram.words import Text, text_of
from core.conversation.inbound import Pending

# An edit may overtake its message by so much.
_OVERTAKES_S = 60.0
_NOBODYS = (ChatID.ANONYMOUS_ADMIN, ChatID.FAKE_CHANNEL)


@dataclass(frozen=True, slots=True)
class Replied:
    """The message that somebody replies to. `ours`: we wrote it. `said` is what was quoted of it, or all of it."""

    message_id: int
    ours: bool
    said: str
    files: tuple[Pending, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A message that a person wrote. `business` and `owner_id` as in `Target`."""

    bot_id: str
    update_id: int
    message_id: int
    chat_id: int
    topic_id: int | None
    private: bool
    user_id: int
    user: User | None
    text: Text
    files: tuple[Pending, ...] = ()
    album: str = ""
    reply: Replied | None = None
    business: str = ""
    owner_id: int = 0
    # Its own files are a picture, not just something that can be looked at.
    picture: bool = False
    # Something that we cannot look at: a voice message, a place, a poll.
    beyond_us: bool = False
    # An edit that came so soon after its message that it may have overtaken it.
    fresh: bool = True

    @property
    def target(self) -> Target:
        """Where its answer goes."""
        return Target(
            self.chat_id, self.message_id, self.user_id, self.topic_id, self.business, self.owner_id, self.private
        )

    @property
    def place(self) -> str:
        """The external id of its place."""
        return place_name(self.chat_id, self.topic_id, self.owner_id)

    @property
    def key(self) -> str:
        """Its key as an inbound event."""
        return message_key(self.bot_id, self.chat_id, self.message_id, self.owner_id)

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys by which it is known."""
        return self.key, update_key(self.bot_id, self.update_id)

    @property
    def album_key(self) -> str:
        """The key of the album that it is a part of; empty: of none."""
        return (
            f"{self.bot_id}:{place_name(self.chat_id, owner_id=self.owner_id)}:album:{self.album}" if self.album else ""
        )

    @property
    def in_group(self) -> bool:
        """Whether others hear it too."""
        return not self.private and not self.owner_id

    def reply_keys(self) -> tuple[str, str]:
        """The message that it replies to, as a post of ours and as an event."""
        assert self.reply is not None
        replied = self.reply.message_id
        return (
            post_id(self.chat_id, replied, self.owner_id),
            message_key(self.bot_id, self.chat_id, replied, self.owner_id),
        )


def read_message(message: Message, update_id: int, me: User, *, owner_id: int = 0) -> Said | None:
    """The message; None: it is not one that a person wrote. `owner_id`: it is from this person's business account."""
    person = _person(message)
    if person is None or message.sender_business_bot is not None or person == owner_id:
        return None
    if message.is_automatic_forward or message.chat.type == ChatType.CHANNEL:
        return None
    user = message.from_user if message.from_user is not None and message.from_user.id == person else None
    edited = message.edit_date
    return Said(
        bot_id=str(me.id),
        update_id=update_id,
        message_id=message.message_id,
        chat_id=message.chat.id,
        # Replies in other supergroups have a thread, too, which is none that people see.
        topic_id=message.message_thread_id if message.is_topic_message else None,
        private=message.chat.type == ChatType.PRIVATE,
        user_id=person,
        user=user,
        text=_text(message),
        files=references(message, message.message_id),
        album=message.media_group_id or "",
        picture=is_picture(message),
        reply=_replied(message, me, owner_id),
        business=message.business_connection_id or "",
        owner_id=owner_id,
        beyond_us=any((message.voice, message.audio, message.contact, message.location, message.poll, message.story)),
        fresh=edited is None or (_utc(edited) - _utc(message.date)).total_seconds() < _OVERTAKES_S,
    )


def _person(message: Message) -> int | None:
    """Whoever wrote it: a person, or a group or channel in whose name an anonymous admin writes."""
    user = message.from_user
    if message.sender_chat is not None and (user is None or user.id in _NOBODYS):
        return message.sender_chat.id
    return user.id if user is not None and not user.is_bot else None


def _text(message: Message) -> Text:
    if message.text is not None:
        return text_of(message.text, message.entities)
    return text_of(message.caption, message.caption_entities)


def _replied(message: Message, me: User, owner_id: int) -> Replied | None:
    quote = message.quote.text if message.quote is not None else ""
    replied = message.reply_to_message
    if replied is not None and replied.forum_topic_created is None:
        ours = replied.from_user is not None and replied.from_user.id == me.id
        if owner_id and replied.sender_business_bot is not None:
            ours = replied.sender_business_bot.id == me.id
        return Replied(
            replied.message_id,
            ours,
            # What we said ourselves is in the conversation.
            quote or ("" if ours else _text(replied).text),
            # Ours show what we were sent, with boxes drawn on it.
            () if ours else references(replied, replied.message_id),
        )
    return _elsewhere(message.external_reply, quote)


def _elsewhere(external: ExternalReplyInfo | None, quote: str) -> Replied | None:
    """A message of another chat or topic."""
    if external is None:
        return None
    # Its number there says nothing about the order here: it comes first.
    return Replied(0, False, quote, references(external, 0))


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
