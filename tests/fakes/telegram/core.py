"""The fake's server, state and clock."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import aiohttp
from aiohttp import web

from tests.fakes.clock import Clock
from tests.fakes.loopback import serve
from tests.fakes.server import FakeServer
from tests.fakes.telegram.api import Api, Call
from tests.fakes.telegram.faults import Faults
from tests.fakes.telegram.file_host import Fetch, FileHost
from tests.fakes.telegram.files import StoredFile
from tests.fakes.telegram.limits import Limits
from tests.fakes.telegram.message_json import message_json
from tests.fakes.telegram.state import Json, Message, User
from tests.fakes.telegram.updates import Updates
from tests.fakes.telegram.webhook import Webhook
from tests.fakes.telegram.world import World

if TYPE_CHECKING:
    from tests.fakes.telegram.fake import FakeTelegram

RICH_METHODS = frozenset({"sendrichmessage", "sendrichmessagedraft"})


@dataclass(eq=False)
class Press:
    """Somebody pressed a button. `text` and `alert`: what the bot answered, once `answered`."""

    id: str
    user: User
    message: Message
    data: str
    at: float
    answered: bool = False
    text: str = ""
    alert: bool = False


class Core(FakeServer):
    """A Telegram on loopback, in a thread of its own; a context manager, which fails when a rule was broken.

    Attributes:
        url: of the server: what TELEGRAM_API_URL must be. `base_url` and `base_file_url` are python-telegram-bot's.
        bot, bot_token: the bot and its token.
        calls, fetches: all calls of methods and all downloads so far, oldest first.
        sent: all messages of the bot's so far, oldest first; the cheap thing to wait on with many chats.
        violations: what the app did that it must never do. Clear those that a test is about.
        clock: the fake's time; `advance` puts it forward.
        limits: flood control. `limits.enforced` refuses what is too much; `limits.breaches` has it in either case.
        faults: what goes wrong on order. `updates`, `webhook`: how updates travel.
        local: a Bot API server of one's own in --local mode: no limits of size, files lie on disk, webhooks need no
            HTTPS.
        privacy: the bot's privacy mode, as it is for the groups that add it from now on.
        mentions_pass_privacy: a message that names the bot reaches it in privacy mode. Telegram does so, but does not
            say it.
        knows_stop: the server knows can_stop and keep_on_stop (Bot API 10.3); an older one passes them over.
        unknown_methods: what the server is too old for: sendRichMessage at first. `know_rich()` takes it out.
        echoes: what the bot writes for the owner of a Business connection comes back as a business_message.
        press_seconds: so long can a press be answered.
        pause: seconds between the parts of a slow download.
        read: the Business messages that the bot has marked as read.
        drafts_after_stop: chat and draft of every draft that came after its Stop.
    """

    def __init__(self, *, clock: Clock | None = None, local: bool = False, username: str = "glimt_bot") -> None:
        super().__init__("fake-telegram")
        self.clock = clock or Clock()
        self.bot = User(7_000_000_001, "Glimt", username, is_bot=True)
        self.bot_token = f"{self.bot.id}:AAFakeTokenOfTheFakeTelegram_000000"
        self.world = World(self.clock, self.bot)
        self.calls: list[Call] = []
        self.fetches: list[Fetch] = []
        self.paths: dict[str, StoredFile] = {}
        self.sent: list[Message] = []
        self.presses: dict[str, Press] = {}
        self.stopped: set[tuple[int, int]] = set()
        self.drafts_after_stop: list[tuple[int, int]] = []
        self.read: list[Message] = []
        self.local, self.privacy, self.echoes, self.logged_out = local, True, True, False
        self.mentions_pass_privacy = self.knows_stop = True
        self.unknown_methods = set(RICH_METHODS)
        self.press_seconds, self.pause = 60.0, 0.02
        self._disk = tempfile.TemporaryDirectory(prefix="fake-telegram-") if local else None
        this = cast("FakeTelegram", self)
        self.limits, self.faults = Limits(), Faults(self.loop)
        self.updates, self.webhook = Updates(this), Webhook(this)
        self._parts = (Api(this), FileHost(this))
        self._port = 0

    # The server.

    async def _open(self) -> None:
        self.http = aiohttp.ClientSession()
        await self._up()

    async def _up(self) -> None:
        self.stopping = asyncio.Event()
        # One application a start: aiohttp's cannot be served twice.
        app = web.Application(client_max_size=256 * 2**20)
        for part in self._parts:
            app.add_routes(part.routes())
        self._runner, self._port = await serve(app, self._port)
        self.url = f"http://127.0.0.1:{self._port}"
        self.base_url, self.base_file_url = f"{self.url}/bot", f"{self.url}/file/bot"

    async def _down(self) -> None:
        self.stopping.set()
        self.updates.interrupt()
        await self._runner.cleanup()

    async def _close(self) -> None:
        self.faults.clear()
        await self.webhook.close()
        await self._down()
        await self.http.close()
        if self._disk is not None:
            self._disk.cleanup()

    def go_down(self) -> None:
        """The server is gone: connections end, none is taken. All that it knows stays."""
        self._loopback.run(self._down())

    def come_up(self) -> None:
        """It is there again, under the same address."""
        self._loopback.run(self._up())
        self.webhook.wake()

    # State.

    def know_rich(self) -> None:
        """The server is new enough for sendRichMessage and sendRichMessageDraft."""
        self.unknown_methods -= RICH_METHODS

    def advance(self, seconds: float) -> None:
        """Puts Telegram's clock forward."""
        with self.lock:
            self.clock.advance(seconds)
        self.changed()

    def json(self, message: Message) -> Json:
        """A message as the Bot API gives it."""
        return message_json(message, self.bot)

    def on_disk(self, file: StoredFile) -> Path:
        """Where a server in local mode keeps a file."""
        assert self._disk is not None
        path = Path(self._disk.name) / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(file.content)
        return path

    def recently(self) -> list[str]:
        """The last calls."""
        calls = [call for call in self.calls if call.method.lower() != "getupdates"]
        return [f"{call.method} {call.error or ('ok' if call.ok else 'running')}" for call in calls[-8:]]

    def called(self, method: str) -> list[Call]:
        """The calls of one method, oldest first."""
        with self.lock:
            return [call for call in self.calls if call.method.lower() == method.lower()]
