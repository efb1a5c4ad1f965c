"""All people, chats, files and connections of the fake, by id."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.clock import Clock
from tests.fakes.telegram.files import StoredFile, digest, new_ids
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import BusinessConnection, Chat, Json, Message, User, Version


@dataclass
class Settings:
    """What the bot's owner and the bot have told BotFather and the server. `commands` by scope and language."""

    names: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    short_descriptions: dict[str, str] = field(default_factory=dict)
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    menu_buttons: dict[int, Json] = field(default_factory=dict)
    rights: Json = field(default_factory=dict)


@dataclass
class World:
    """What there is. Changed under the fake's lock only. A chat of a Business connection has its id for a key beside
    the customer's; any other has ""."""

    clock: Clock
    bot: User
    users: dict[int, User] = field(default_factory=dict)
    chats: dict[tuple[str, int], Chat] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    connections: dict[str, BusinessConnection] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _last_id: int = 0

    def today(self) -> int:
        """Now, as Telegram dates messages: whole seconds."""
        return int(self.clock.now())

    def chat(self, chat_id: Any, connection: str = "") -> Chat:
        """By its id.

        Raises:
            Refusal: chat not found; for a Business connection, BUSINESS_PEER_INVALID.
        """
        found = self.chats.get((connection, chat_id))
        if found is None:
            raise Refusal("BUSINESS_PEER_INVALID" if connection else "chat not found")
        return found

    def add_message(self, chat: Chat, sender: User, **parts: Any) -> Message:
        """A new message, now. Supergroups number their own; all other chats share the account's numbers."""
        if chat.kind == "supergroup":
            chat.last_id += 1
            number = chat.last_id
        else:
            self._last_id += 1
            number = self._last_id
        message = Message(number, chat, sender, self.today(), connection=chat.connection, **parts)
        message.versions.append(Version(self.clock.now(), message.text, message.labels))
        chat.messages[number] = message
        return message

    def message(self, chat: Chat, number: Any, refusal: str) -> Message:
        """One that is still there.

        Raises:
            Refusal: `refusal`, when there is none.
        """
        found = chat.messages.get(number)
        if found is None or found.deleted_at is not None:
            raise Refusal(refusal)
        return found

    def add_file(
        self, kind: str, name: str, content: bytes | None, *, make: Callable[[], bytes] | None = None, **more: Any
    ) -> StoredFile:
        """A new file of Telegram's: the bytes themselves, or what will make them and their `size`."""
        number = next(self.numbers)
        about = digest(content) if content is not None else str(more.pop("about", number))
        file_id, unique = new_ids(number, kind, about)
        made = make or (lambda: content or b"")
        size = more.pop("size", len(content or b""))
        file = StoredFile(file_id, unique, f"{kind}s", name, size, made, **more)
        self.files[file_id] = file
        return file

    def file(self, file_id: Any, refusal: str) -> StoredFile:
        """By its id.

        Raises:
            Refusal: `refusal`, when there is none.
        """
        found = self.files.get(file_id)
        if found is None:
            raise Refusal(refusal)
        return found
