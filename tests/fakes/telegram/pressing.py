"""Buttons, reactions, and the Stop of a draft."""

from __future__ import annotations

from tests.fakes.telegram.core import Press
from tests.fakes.telegram.speaking import Speaking
from tests.fakes.telegram.state import Chat, Draft, Json, Message, User


class Pressing(Speaking):
    """What people do with what the bot wrote."""

    def press(self, user: User, message: Message, label: str) -> Press:
        """Somebody presses the button of this label, or with this callback_data, of a message as it is now.

        Raises:
            LookupError: it has no such button.
        """
        with self.lock:
            for button in message.buttons:
                if label in (button["text"], button.get("callback_data")) and "callback_data" in button:
                    return self._pressed(user, message, button["callback_data"])
        raise LookupError(f"no button {label!r} among {message.labels}")

    def press_old(self, user: User, message: Message, data: str) -> Press:
        """Somebody presses a button that his app still shows, whatever the message has now."""
        with self.lock:
            return self._pressed(user, message, data)

    def _pressed(self, user: User, message: Message, data: str) -> Press:
        press = Press(str(4_300_000_000_000_000 + next(self.world.numbers)), user, message, data, self.clock.now())
        self.presses[press.id] = press
        if message.deleted_at is None:
            shown: Json = self.json(message)
        else:
            shown = {"chat": message.chat.as_json(), "message_id": message.id, "date": 0}
        body: Json = {
            "id": press.id,
            "from": user.as_json(),
            "message": shown,
            "chat_instance": str(-message.chat.id),
            "data": data,
        }
        self.updates.push("callback_query", body, message.chat.id)
        self.changed()
        return press

    def react(self, user: User, message: Message, emoji: str = "") -> None:
        """Somebody reacts; "" takes it back. In groups only bots that are administrators hear of it."""
        with self.lock:
            before = message.reactions.get(user.id, [])
            message.reactions[user.id] = [emoji] if emoji else []
            chat = message.chat
            if not chat.group or chat.bot == "administrator":
                body: Json = {
                    "chat": chat.as_json(),
                    "message_id": message.id,
                    "user": user.as_json(),
                    "date": self.world.today(),
                    "old_reaction": [{"type": "emoji", "emoji": one} for one in before],
                    "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
                }
                self.updates.push("message_reaction", body, chat.id)
        self.changed()

    def drafts(self, chat: Chat) -> list[Draft]:
        """Those that the chat shows now."""
        with self.lock:
            return [draft for draft in chat.drafts.values() if draft.until > self.clock.now()]

    def stop(self, chat: Chat, draft: Draft | None = None) -> Draft:
        """Somebody presses Stop at a draft, the last one when not named: the only update of its kind.

        Raises:
            LookupError: the chat shows no draft that can be stopped.
        """
        with self.lock:
            able = [one for one in self.drafts(chat) if one.stop and draft in (None, one)]
            if not able:
                raise LookupError("no draft with a Stop is shown")
            one = able[-1]
            self.stopped.add((chat.id, one.id))
            if not one.keep:
                chat.drafts.pop((one.thread, one.id))
            body: Json = {"chat": chat.as_json(), "draft_id": one.id}
            if one.thread:
                body["message_thread_id"] = one.thread
            self.updates.push("stopped_message_generation", body, chat.id)
        self.changed()
        return one
