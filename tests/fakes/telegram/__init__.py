"""A strict Telegram on loopback: the Bot API over HTTP, long polling and webhooks, downloads, and what people do.

It refuses what Telegram refuses, in Telegram's words, checks all that it gives out through python-telegram-bot's own
`de_json`, and writes down in `violations` what a sound bot never does; leaving its `with` block fails when there is
any.

    with FakeTelegram() as telegram:
        bot = Bot(telegram.bot_token, base_url=telegram.base_url, base_file_url=telegram.base_file_url)
        alice = telegram.user("alice")
        chat = telegram.private(alice)
        asked = telegram.photo(alice, chat, png, "What is this?")
        telegram.wait_for(lambda: telegram.answers(chat))  # in a test's thread; in a loop: await telegram.until(…)
        telegram.press(alice, telegram.answers(chat)[-1].message, "Retry")
        print(telegram.transcript(chat))

- Places: `private`, `group` (forum, admin, basic or super), `topic`, `connect` and `customer` (Business), `add_bot`,
  `remove_bot`, `block`, `migrate`, `close_topic`.
- Deeds: `say`, `start`, `photo`, `album`, `document`, `clip`, `live_photo`, `sticker`, `other`, `forward`, `edit`,
  `delete`, `press`, `react`, `stop` (of a draft).
- To look at: `seen`, `answers`, `doubled`, `transcript`, `drafts`, `Chat.drafts_seen`, `typing`, `calls`, `called`,
  `sent`, `fetches`, `limits.breaches`, `updates.every`, `commands`.
- What goes wrong: `faults` (429, refusals, 502, dropped and lost answers, held calls), `updates.hold` / `release` /
  `repeat` / `push_raw`, `late` siblings, `StoredFile.download`, `go_down` / `come_up`; a second
  poller that waits ends the first.
- A webhook: `telegram.webhook.reach["https://bot.example.org"] = "http://127.0.0.1:8080"`, then setWebhook as ever.
- Time: `FakeTelegram(clock=Clock(still=True))` and `advance`; else it is the machine's. `limits.enforced = True` for
  flood control.

What Telegram does not document, and the fake had to choose, is said where it is an attribute of `Core` or `Limits`.
"""

from tests.fakes.telegram.api import Call
from tests.fakes.telegram.core import Press
from tests.fakes.telegram.fake import FakeTelegram, Seen
from tests.fakes.telegram.files import StoredFile
from tests.fakes.telegram.limits import Breach
from tests.fakes.telegram.speaking import Said
from tests.fakes.telegram.state import BusinessConnection, Chat, Draft, Message, Topic, User
from tests.fakes.telegram.updates import Update

__all__ = [
    "Breach",
    "BusinessConnection",
    "Call",
    "Chat",
    "Draft",
    "FakeTelegram",
    "Message",
    "Press",
    "Said",
    "Seen",
    "StoredFile",
    "Topic",
    "Update",
    "User",
]
