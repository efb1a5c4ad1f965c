"""What people do in the workspace with words and pictures, and the events that follow."""

from __future__ import annotations

import random
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from tests.fakes.slack import events
from tests.fakes.slack.core import Core
from tests.fakes.slack.delivery import Delivery
from tests.fakes.slack.files import Access, Download, StoredFile
from tests.fakes.slack.rich import rich_text
from tests.fakes.slack.state import Channel, Json, Message, User, Workspace

SLACKBOT = "USLACKBOT"
_NAMES = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}


@dataclass
class Said:
    """A message and the deliveries that it caused."""

    message: Message
    deliveries: list[Delivery]

    @property
    def ts(self) -> str:
        """Of the message."""
        return self.message.ts

    def wait(self, timeout: float = 30) -> Said:
        """Until all deliveries have ended.

        Raises:
            TimeoutError: one has not.
        """
        for delivery in self.deliveries:
            delivery.wait(timeout)
        return self

    def __await__(self) -> Generator[Any, None, Said]:
        for delivery in self.deliveries:
            yield from delivery.__await__()
        return self


class Speaking(Core):
    """People, conversations, files and messages."""

    def user(
        self, name: str, *, locale: str = "en-US", workspace: Workspace | None = None, admin: bool = False
    ) -> User:
        """Somebody new."""
        with self.lock:
            user = User(self.world.ids("U"), name, (workspace or self.workspace).id, locale, is_admin=admin)
            self.world.users[user.id] = user
            return user

    def channel(
        self,
        name: str,
        *members: User,
        private: bool = False,
        bot: bool = True,
        shared: bool = False,
        workspace: Workspace | None = None,
    ) -> Channel:
        """A new channel. `bot`: the bot is in it."""
        team = workspace or self.workspace
        with self.lock:
            people = {user.id for user in members} | ({team.bot_user.id} if bot else set())
            channel = Channel(
                self.world.ids("C"), "group" if private else "channel", name, team.id, people, shared=shared
            )
            self.world.channels[channel.id] = channel
            return channel

    def im(self, user: User) -> Channel:
        """The direct conversation of the bot with somebody; there is one only."""
        return self._between("im", user)

    def mpim(self, *users: User) -> Channel:
        """The direct conversation of the bot with several."""
        return self._between("mpim", *users)

    def _between(self, kind: str, *users: User) -> Channel:
        workspace = self.world.workspaces[users[0].team_id]
        people = {user.id for user in users} | {workspace.bot_user.id}
        with self.lock:
            for channel in self.world.channels.values():
                if channel.kind == kind and channel.members == people:
                    return channel
            name = "" if kind == "im" else f"mpdm-{'--'.join(user.name for user in users)}-1"
            letter = "D" if kind == "im" else "C"
            channel = Channel(self.world.ids(letter), kind, name, workspace.id, people)  # type: ignore[arg-type]
            self.world.channels[channel.id] = channel
            return channel

    def file(
        self,
        name: str,
        content: bytes,
        owner: User,
        *,
        download: Download = "whole",
        access: Access = "",
        external: str = "",
        size: int | None = None,
    ) -> StoredFile:
        """A file that somebody is about to share. See `StoredFile` for what can be wrong with it."""
        with self.lock:
            file = StoredFile(
                id=self.world.ids("F"),
                team_id=owner.team_id,
                name=name,
                content=content,
                owner=owner.id,
                base=self.url,
                created=int(self.world.clock.now()),
                download=download,
                access=access,
                external=external,
                size=size,
            )
            self.world.files[file.id] = file
            return file

    def say(
        self,
        user: User,
        channel: Channel,
        text: str = "",
        *,
        thread: str = "",
        files: list[StoredFile] | None = None,
        broadcast: bool = False,
        copies: int = 1,
        without_files: tuple[str, ...] = (),
        only: tuple[str, ...] = ("message", "app_mention"),
        shuffle: int | None = None,
        silent: bool = False,
    ) -> Said:
        """Somebody writes, and Slack tells the app: `message`, and `app_mention` beside it when the bot is named.

        Args:
            copies: how often each event comes, each time under a new event id.
            without_files: which of the two come without `files`.
            only: which of the two come at all.
            shuffle: the seed of another order of all of these.
            silent: nothing is delivered; the history alone has it.
        """
        with self.lock:
            message = self.world.add_message(
                channel,
                user.id,
                text=text,
                blocks=rich_text(text, self.world.ids("b")),
                files=[file.id for file in files or []],
                subtype="file_share" if files else ("thread_broadcast" if broadcast else ""),
                thread_ts=thread,
                broadcast=broadcast,
                client_msg_id=str(uuid.uuid4()),
            )
            for file in files or []:
                file.shares.append((channel.id, message.ts))
            payloads = [] if silent else self._told(message, copies, without_files, only)
        if shuffle is not None:
            random.Random(shuffle).shuffle(payloads)
        self.changed()
        return Said(message, [self.deliverer.start("events_api", payload) for payload in payloads])

    def _told(self, message: Message, copies: int, without: tuple[str, ...], only: tuple[str, ...]) -> list[Json]:
        """The payloads of one message, as far as the bot is there and has asked for them."""
        channel = self.world.channels[message.channel]
        workspace = self.world.workspaces[channel.team_id]
        if workspace.bot_user.id not in channel.members:
            return []
        inner: list[Json] = []
        if "message" in only and _NAMES[channel.kind] in self.subscribed:
            inner.append(events.message(self.world, message, files="message" not in without))
        # In direct messages a mention is a message like any other.
        mentioned = channel.kind != "im" and workspace.bot_user.mention in message.text
        if mentioned and "app_mention" in only and "app_mention" in self.subscribed:
            inner.append(events.app_mention(self.world, message, files="app_mention" not in without))
        return [
            events.callback(self.world, workspace, event, channel=channel) for _ in range(copies) for event in inner
        ]

    def edit(self, message: Message, text: str) -> Said:
        """Its author changes it."""
        with self.lock:
            before, stamp = self.world.message_json(message, event=True), self.world.clock.stamp()
            message.text, message.edited = text, stamp
            message.blocks = rich_text(text, self.world.ids("b"))
            event = events.message_changed(self.world, message, before, stamp=stamp)
        return self._in(message.channel, message, event)

    def remove(self, message: Message) -> Said:
        """Its author deletes it. One with replies becomes a tombstone, and the app is told of a change."""
        channel = self.world.channels[message.channel]
        with self.lock:
            before, stamp = self.world.message_json(message, event=True), self.world.clock.stamp()
            if self.world.replies(channel, message):
                message.text, message.blocks, message.files = "This message was deleted.", [], []
                message.author, message.subtype = SLACKBOT, "tombstone"
                event = events.message_changed(self.world, message, before, stamp=stamp)
            else:
                del channel.messages[message.ts]
                event = events.message_deleted(self.world, channel, before, stamp=stamp)
        self.changed()
        return self._in(message.channel, message, event)

    def _in(self, channel_id: str, message: Message, event: Json) -> Said:
        channel = self.world.channels[channel_id]
        if _NAMES[channel.kind] not in self.subscribed:
            return Said(message, [])
        return Said(message, [self.deliver(event, channel=channel)])

    def deliver(
        self,
        event: Json,
        *,
        channel: Channel | None = None,
        workspace: Workspace | None = None,
        retries: int | None = None,
        first: int = 0,
    ) -> Delivery:
        """Any event, in an envelope with a new id. `first`: 1 or more for something that pretends to be a retry."""
        team = self.world.workspaces[channel.team_id] if channel else workspace or self.workspace
        payload = events.callback(self.world, team, event, channel=channel)
        return self.deliverer.start("events_api", payload, retries=retries, first=first)

    def redeliver(self, delivery: Delivery, *, attempt: int = 1) -> Delivery:
        """The same payload once more, its event id too: what Slack does when an answer was lost on its way."""
        return self.deliverer.start(delivery.kind, delivery.payload, first=attempt, retries=0)

    def echo(self, message: Message, *, change: bool = False) -> None:
        """Tells the app of what its bot has written itself, once and whether it listens or not."""
        channel = self.world.channels[message.channel]
        listens = bool(self.request_url) or self.connected
        if not self.echoes or not listens or _NAMES[channel.kind] not in self.subscribed:
            return
        event = events.message(self.world, message)
        if change:
            now = self.world.message_json(message, event=True)
            event = events.message_changed(self.world, message, now, stamp=self.world.clock.stamp())
        self.deliver(event, channel=channel, retries=0)
