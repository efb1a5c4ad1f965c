"""Who there is, where they are, and how that changes."""

from __future__ import annotations

from tests.fakes.telegram.core import Core
from tests.fakes.telegram.entities import cut
from tests.fakes.telegram.methods.chats import member
from tests.fakes.telegram.state import BusinessConnection, Chat, Json, Message, Status, Topic, User


class People(Core):
    """People, chats, topics, memberships, Business connections."""

    def user(self, name: str, *, language: str = "en", username: str | None = None) -> User:
        """Somebody new. Their private chat with the bot begins with the first thing that they say there."""
        with self.lock:
            user = User(
                100_000 + next(self.world.numbers), name.title(), name if username is None else username, language
            )
            self.world.users[user.id] = user
            self.world.chats["", user.id] = Chat(user.id, "private", user=user)
            return user

    def private(self, user: User) -> Chat:
        """The private chat of the bot with somebody."""
        return self.world.chats["", user.id]

    def group(
        self,
        title: str,
        *members: User,
        kind: str = "supergroup",
        forum: bool = False,
        admin: bool = False,
        bot: bool = True,
    ) -> Chat:
        """A new group; the first member made it. `kind` group is a basic one. `admin`: the bot is an administrator.
        `bot`: it is there at all."""
        with self.lock:
            number = next(self.world.numbers)
            chat_id = -1_001_000_000_000 - number if kind == "supergroup" else -4_000_000 - number
            people: dict[int, Status] = {user.id: "member" for user in members}
            if members:
                people[members[0].id] = "creator"
            chat = Chat(chat_id, kind, title, members=people, forum=forum)  # type: ignore[arg-type]
            chat.bot = ("administrator" if admin else "member") if bot else "left"
            chat.sees_all = admin or not self.privacy
            # The topic "General" has the number 1.
            chat.last_id = 1 if forum else 0
            self.world.chats["", chat_id] = chat
            return chat

    def topic(self, chat: Chat, name: str, by: User) -> Topic:
        """A new topic of a forum."""
        with self.lock:
            created = {"forum_topic_created": {"name": name, "icon_color": 7_322_096}}
            message = self.world.add_message(chat, by, service=created)
            message.thread = message.id
            topic = chat.topics[message.id] = Topic(message.id, name)
            self.tell(message)
            return topic

    def close_topic(self, chat: Chat, topic: Topic, by: User, *, closed: bool = True) -> None:
        """It is closed, or opened again."""
        with self.lock:
            topic.closed = closed
            name = "forum_topic_closed" if closed else "forum_topic_reopened"
            self.tell(self.world.add_message(chat, by, service={name: {}}, thread=topic.id))

    # Memberships.

    def membership(self, chat: Chat, by: User, now: Status) -> None:
        """The bot becomes something else in a chat."""
        with self.lock:
            before, chat.bot = chat.bot, now
            if before in ("left", "kicked") and now in ("member", "administrator"):
                chat.sees_all = not self.privacy
            chat.sees_all = chat.sees_all or now == "administrator"
            self._bot_changed(chat, by, before, now)
        self.changed()

    def _bot_changed(self, chat: Chat, by: User, before: Status, now: Status) -> None:
        body: Json = {
            "chat": chat.as_json(),
            "from": by.as_json(),
            "date": self.world.today(),
            "old_chat_member": member(self.bot, before),
            "new_chat_member": member(self.bot, now),
        }
        self.updates.push("my_chat_member", body, chat.id)

    def add_bot(self, chat: Chat, by: User, *, admin: bool = False) -> None:
        """Somebody adds the bot to a group."""
        self.membership(chat, by, "administrator" if admin else "member")
        with self.lock:
            service = {"new_chat_members": [self.bot.as_json()]}
            self.tell(self.world.add_message(chat, by, service=service))

    def remove_bot(self, chat: Chat, by: User) -> None:
        """Somebody removes it."""
        self.membership(chat, by, "kicked")

    def block(self, user: User) -> None:
        """Somebody blocks the bot."""
        self._blocked(user, True)

    def unblock(self, user: User) -> None:
        """And lets it in again."""
        self._blocked(user, False)

    def _blocked(self, user: User, blocked: bool) -> None:
        with self.lock:
            user.blocked = blocked
            before, now = ("member", "kicked") if blocked else ("kicked", "member")
            self._bot_changed(self.private(user), user, before, now)  # type: ignore[arg-type]
        self.changed()

    def migrate(self, chat: Chat, by: User) -> Chat:
        """A basic group becomes a supergroup: the new one, with a number of its own and no messages."""
        with self.lock:
            new = self.group(chat.title, kind="supergroup")
            new.members, new.bot, new.sees_all = dict(chat.members), chat.bot, chat.sees_all
            self.tell(self.world.add_message(chat, by, service={"migrate_to_chat_id": new.id}))
            chat.migrated_to = new.id
            self.tell(self.world.add_message(new, by, service={"migrate_from_chat_id": chat.id}))
        self.changed()
        return new

    # Business.

    def connect(self, owner: User, *, can_reply: bool = True, can_read: bool = True) -> BusinessConnection:
        """The owner of a Business account lets the bot answer for him. For that he must have started it."""
        with self.lock:
            number = f"bc{next(self.world.numbers)}"
            owner.started = True
            link = BusinessConnection(number, owner, self.world.today(), can_reply=can_reply, can_read=can_read)
            self.world.connections[number] = link
            self.updates.push("business_connection", link.as_json(), owner.id)
        self.changed()
        return link

    def change(self, link: BusinessConnection, *, can_reply: bool | None = None, enabled: bool | None = None) -> None:
        """The owner allows more or less, or ends it."""
        with self.lock:
            link.can_reply = link.can_reply if can_reply is None else can_reply
            link.enabled = link.enabled if enabled is None else enabled
            self.updates.push("business_connection", link.as_json(), link.owner.id)
        self.changed()

    def customer(self, link: BusinessConnection, user: User) -> Chat:
        """The private chat of the owner with somebody, as the bot sees it."""
        with self.lock:
            key = (link.id, user.id)
            if key not in self.world.chats:
                self.world.chats[key] = Chat(user.id, "private", user=user, connection=link)
            return self.world.chats[key]

    def echo(self, message: Message) -> None:
        """What the bot wrote in an owner's name comes back to it."""
        if message.connection is not None and self.echoes:
            self.updates.push("business_message", self.json(message), message.chat.id)

    # What reaches the bot.

    def tell(self, message: Message, *, edited: bool = False) -> None:
        """The update of a message that somebody wrote, if the bot may see it. Under the lock."""
        chat = message.chat
        if not self._sees(message):
            return
        kind = "business_message" if chat.connection is not None else "message"
        self.updates.push(f"edited_{kind}" if edited else kind, self.json(message), chat.id)

    def _sees(self, message: Message) -> bool:
        """core.telegram.org/bots/features#privacy-mode."""
        chat = message.chat
        if chat.connection is not None:
            return chat.connection.enabled
        if not chat.group:
            return not message.sender.blocked
        if chat.bot in ("left", "kicked"):
            return False
        if chat.sees_all or message.service:
            return True
        if message.reply_to is not None and message.reply_to.sender is self.bot:
            return True
        for entity in message.entities:
            word = cut(message.text, entity["offset"], entity["length"]).lower()
            to_us = word.endswith(self.bot.mention.lower())
            if entity["type"] == "bot_command" and ("@" not in word or to_us):
                return True
            if entity["type"] == "mention" and to_us and self.mentions_pass_privacy:
                return True
        return False
