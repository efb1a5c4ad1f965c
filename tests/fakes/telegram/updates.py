"""The bot's updates: how they come to be, and how long polling takes them."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.telegram.checks import check_update
from tests.fakes.telegram.refusal import Refusal
from tests.fakes.telegram.state import Json

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

KINDS = {
    *("message", "edited_message", "channel_post", "edited_channel_post", "business_connection", "business_message"),
    *("edited_business_message", "deleted_business_messages", "message_reaction", "message_reaction_count"),
    *("inline_query", "chosen_inline_result", "callback_query", "shipping_query", "pre_checkout_query"),
    *("purchased_paid_media", "poll", "poll_answer", "my_chat_member", "chat_member", "chat_join_request"),
    *("chat_boost", "removed_chat_boost", "managed_bot", "guest_message", "stopped_message_generation"),
}
# These come only to those who name them.
_ASKED_FOR = {"chat_member", "message_reaction", "message_reaction_count"}
_DAY = 24 * 3_600
_LONGEST = 50


@dataclass(eq=False)
class Update:
    """Something that happened. `given`: how often it was handed to the bot; `confirmed`: the bot has taken it."""

    id: int
    kind: str
    body: Json
    chat: int
    at: float
    given: int = 0
    confirmed: bool = False

    def as_json(self) -> Json:
        """An `Update`."""
        return {"update_id": self.id, self.kind: self.body}


class Updates:
    """The queue.

    Attributes:
        every: all updates that were ever made, oldest first.
        allowed: the kinds that the bot has asked for; others are not even kept.
    """

    def __init__(self, fake: FakeTelegram) -> None:
        self._fake = fake
        self.every: list[Update] = []
        self.waiting: list[Update] = []
        self.allowed = KINDS - _ASKED_FOR
        self._next = 700_000_000
        self._held: list[tuple[str, Json, int]] | None = None
        self._again: list[Update] = []
        self._arrived = asyncio.Event()
        self._poll = 0

    # Making.

    def push(self, kind: str, body: Json, chat: int) -> Update | None:
        """Something happened in a chat. Under the fake's lock.

        Returns: the update; None when the bot has not asked for it, or when updates are held.
        """
        if self._held is not None:
            self._held.append((kind, body, chat))
            return None
        if kind not in self.allowed:
            return None
        check_update({"update_id": self._next, kind: body})
        return self.push_raw(kind, body, chat)

    def push_raw(self, kind: str, body: Json, chat: int) -> Update:
        """An update that nobody checks: one that the app's library cannot read, say."""
        with self._fake.lock:
            update = Update(self._next, kind, body, chat, self._fake.clock.now())
            self._next += 1
            self.every.append(update)
            self.waiting.append(update)
            self._wake()
        self._fake.changed()
        return update

    def hold(self) -> None:
        """Nothing comes to the bot until `release`."""
        with self._fake.lock:
            self._held = self._held or []

    def release(self, shuffle: int | None = None) -> list[Update]:
        """What was held comes now, with `shuffle` (a seed) in another order.

        Telegram numbers updates in the order in which it gives them out, so they are numbered now.
        """
        with self._fake.lock:
            held, self._held = self._held or [], None
            if shuffle is not None:
                random.Random(shuffle).shuffle(held)
            made = [self.push(*one) for one in held]
        self._fake.changed()
        return [update for update in made if update is not None]

    def repeat(self, *updates: Update) -> None:
        """They come again under the same id, whatever the bot has confirmed."""
        with self._fake.lock:
            if self._fake.webhook.url:
                self.waiting += updates
            else:
                self._again += updates
            self._wake()

    def _wake(self) -> None:
        self._fake.loop.call_soon_threadsafe(self._arrived.set)
        self._fake.webhook.wake()

    # Taking.

    async def poll(self, arguments: Json) -> list[Json]:
        """getUpdates.

        Raises:
            Refusal: 409 with a webhook, or when another poll that waits came meanwhile.
        """
        if self._fake.webhook.url:
            raise Refusal(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
                409,
            )
        limit = max(1, min(arguments.get("limit", 100), 100))
        self.allow(arguments.get("allowed_updates"))
        self._confirm(arguments.get("offset", 0))
        deadline = asyncio.get_running_loop().time() + max(0, min(arguments.get("timeout", 0), _LONGEST))
        mine = 0
        while True:
            self._arrived.clear()
            if updates := self._take(limit):
                return [update.as_json() for update in updates]
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0 or self._fake.stopping.is_set():
                return []
            if not mine:
                # It is this poll that waits now; the one that waited before is ended.
                self._poll += 1
                mine = self._poll
                self._arrived.set()
                self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except TimeoutError:
                continue
            if self._fake.webhook.url:
                raise Refusal("terminated by setWebhook request", 409)
            if mine != self._poll:
                raise Refusal(
                    "terminated by other getUpdates request; make sure that only one bot instance is running", 409
                )

    def interrupt(self) -> None:
        """A poll that waits looks again."""
        self._fake.loop.call_soon_threadsafe(self._arrived.set)

    def allow(self, asked: list[str] | None) -> None:
        """`allowed_updates` of getUpdates and setWebhook: None leaves it, an empty list resets it."""
        if asked is None:
            return
        if unknown := set(asked) - KINDS:
            self._fake.violation(f"allowed_updates: unknown {sorted(unknown)}")
        self.allowed = set(asked) & KINDS or KINDS - _ASKED_FOR

    def _confirm(self, offset: int) -> None:
        with self._fake.lock:
            # Below zero: all but the last so many.
            gone = self.waiting[:offset] if offset < 0 else [one for one in self.waiting if one.id < offset]
            for update in gone:
                update.confirmed = True
            old = self._fake.clock.now() - _DAY
            self.waiting = [update for update in self.waiting if not update.confirmed and update.at > old]
        if gone:
            self._fake.changed()

    def _take(self, limit: int) -> list[Update]:
        with self._fake.lock:
            again, self._again = self._again[:limit], self._again[limit:]
            taken = sorted({*again, *self.waiting[: limit - len(again)]}, key=lambda update: update.id)
            for update in taken:
                update.given += 1
        if taken:
            self._fake.changed()
        return taken

    def drop(self) -> None:
        """drop_pending_updates."""
        with self._fake.lock:
            for update in self.waiting:
                update.confirmed = True
            self.waiting.clear()
