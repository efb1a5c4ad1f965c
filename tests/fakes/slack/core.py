"""The fake's server, state and clock, and the ways to wait for something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import aiohttp
from aiohttp import web

from tests.fakes.loopback import serve
from tests.fakes.slack.api import Api
from tests.fakes.slack.clock import SlackClock
from tests.fakes.slack.delivery import Deliverer, Delivery
from tests.fakes.slack.faults import Faults
from tests.fakes.slack.files import StoredFile
from tests.fakes.slack.hosts import Fetch, Files, Foreign
from tests.fakes.slack.manifest import EVENTS, SCOPES
from tests.fakes.slack.oauth import OAuth
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.response_urls import ResponseUrls
from tests.fakes.slack.sockets import Sockets
from tests.fakes.slack.state import Grant, Ids, Message, User, Workspace
from tests.fakes.slack.tiers import Tiers
from tests.fakes.slack.waiting import Calls
from tests.fakes.slack.world import World

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

STREAM_SECONDS = 300
_TRIGGER_SECONDS = 3


class Core(Calls):
    """A Slack on loopback, in a thread of its own; a context manager, which fails when a rule was broken.

    Attributes:
        url: of Slack's host; `api_url` is what SLACK_API_URL must be. Files lie on the same host.
        foreign_url: of a host that is not Slack's.
        workspace: the first workspace, in which the app is installed with `bot_token`.
        calls, fetches, deliveries: all calls of methods, downloads and deliveries so far, oldest first.
        violations: what the app did that it must never do. Clear those that a test is about.
        request_url: where events go over HTTP; "" for Socket Mode.
        subscribed: the events that the app has asked for; no other is delivered.
        faults: what goes wrong on order. `tiers.enforced`: Slack's rate limits hold.
        history_limit: at most so many messages a page, as Slack gives to apps outside of its marketplace.
        pause: seconds between the parts of a slow download.
        messages_tab: whether the app's Messages tab is on; without it nobody can be written to directly.
        stop_after_user: whether chat.stopStream is still allowed after the user's Stop. The documentation says so;
            bots in the field have met message_not_in_streaming_state.
        echoes: whether the bot's own messages come back as events, as they do in Slack.
    """

    def __init__(self, scopes: tuple[str, ...] = SCOPES) -> None:
        super().__init__("fake-slack")
        self.world = World(SlackClock(), Ids(), "A0FAKEGLIMT")
        self.app_id = self.world.app_id
        self.client_id, self.client_secret, self.signing_secret = "1.2", "client-secret", "signing-secret"
        self.app_token, self.redirect_uri = "xapp-1-fake", ""
        self.fetches: list[Fetch] = []
        self.deliveries: list[Delivery] = []
        self.uploads: dict[str, StoredFile] = {}
        self.foreign_files: dict[str, bytes] = {}
        self.request_url = ""
        self.subscribed = set(EVENTS)
        self.socket_mode = True
        self.history_limit = 0
        self.messages_tab = True
        self.pause = 0.02
        self.stop_after_user = True
        self.echoes = True
        self._triggers: dict[str, tuple[str, float]] = {}
        this = cast("FakeSlack", self)
        self.faults, self.tiers = Faults(self.loop), Tiers()
        self.sockets = Sockets(this)
        self.oauth = OAuth(this)
        self.response_urls = ResponseUrls(this)
        self.deliverer = Deliverer(this)
        self._apps = (self._app(Api(this), Files(this), self.sockets, self.oauth, self.response_urls),)
        self._foreign_app = self._app(Foreign(this))
        self.world.grants[self.app_token] = Grant(self.app_token, "app", "", ("connections:write",))
        self.workspace = self.add_workspace("acme", scopes=scopes)
        self.bot_token = next(token for token, grant in self.world.grants.items() if grant.kind == "bot")

    @staticmethod
    def _app(*parts: Api | Files | Sockets | OAuth | ResponseUrls | Foreign) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        for part in parts:
            app.add_routes(part.routes())
        return app

    # The server.

    async def _open(self) -> None:
        self.stopping = asyncio.Event()
        self.http = aiohttp.ClientSession()
        served = [await serve(app) for app in (*self._apps, self._foreign_app)]
        self._runners, ports = [runner for runner, _ in served], [port for _, port in served]
        self.url, self.foreign_url = f"http://127.0.0.1:{ports[0]}", f"http://localhost:{ports[1]}"
        self.api_url = f"{self.url}/api/"
        for file in self.world.files.values():
            file.base = self.url

    async def _close(self) -> None:
        self.faults.clear()
        self.stopping.set()
        await self.sockets.close()
        for delivery in self.deliveries:
            delivery.future.cancel()
        for runner in self._runners:
            await runner.cleanup()
        await self.http.close()

    # State.

    def add_workspace(self, name: str, *, agent: bool = True, scopes: tuple[str, ...] | None = SCOPES) -> Workspace:
        """Another team. `scopes` None: the app is not installed there yet, and OAuth will be what installs it."""
        with self.lock:
            team = self.world.ids("T")
            bot = User(self.world.ids("U"), "glimt", team, is_bot=True)
            workspace = Workspace(team, name, bot, self.world.ids("B"), agent)
            self.world.workspaces[team] = workspace
            self.world.users |= {bot.id: bot, "USLACKBOT": User("USLACKBOT", "slackbot", team)}
            if scopes is not None:
                token = self.world.ids("xoxb-")
                self.world.grants[token] = Grant(token, "bot", team, scopes, bot.id)
            return workspace

    def token_of(self, workspace: Workspace) -> str:
        """The newest bot token of a workspace.

        Raises:
            LookupError: the app is not installed there.
        """
        tokens = [t for t, grant in self.world.grants.items() if grant.team_id == workspace.id]
        if not tokens:
            raise LookupError(f"the app is not installed in {workspace.name}")
        return tokens[-1]

    def file_exists(self, file: str) -> bool:
        """By id or by its address, for image blocks."""
        return file in self.world.files or any(
            file in (known.url_private, known.full()["permalink"]) for known in self.world.files.values()
        )

    def expire(self, message: Message) -> None:
        """Ends a stream whose five minutes are over."""
        stream = message.stream
        if stream and stream.state == "in_progress" and self.world.clock.now() - stream.started >= STREAM_SECONDS:
            stream.state = "expired"

    def advance(self, seconds: float) -> None:
        """Puts Slack's clock forward."""
        with self.lock:
            self.world.clock.advance(seconds)
        self.changed()

    def new_trigger(self, user: User) -> str:
        """A trigger_id, good for three seconds."""
        with self.lock:
            trigger = self.world.ids("trigger.")
            self._triggers[trigger] = (user.id, self.world.clock.now() + _TRIGGER_SECONDS)
            return trigger

    def use_trigger(self, trigger: str) -> str:
        """Returns: the user whose trigger it was.

        Raises:
            Refusal: invalid_trigger_id, expired_trigger_id, exchanged_trigger_id.
        """
        if trigger not in self._triggers:
            raise Refusal("invalid_trigger_id")
        user, until = self._triggers[trigger]
        if until == 0:
            raise Refusal("exchanged_trigger_id")
        if until < self.world.clock.now():
            raise Refusal("expired_trigger_id")
        self._triggers[trigger] = (user, 0)
        return user

    # Connections of Socket Mode, from any thread.

    @property
    def connected(self) -> bool:
        """The app has a connection that works."""
        return bool(self.sockets.ready)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Asks all connections to go (refresh_requested, warning, link_disabled) or, with `abrupt`, cuts them."""
        if reason == "abrupt":
            self._loopback.run(self.sockets.abort())
        else:
            self._loopback.run(self.sockets.ask_to_leave(reason))  # type: ignore[arg-type]

    def wedge(self) -> None:
        """Connections stay open, and nothing answers on them, new ones included."""
        self._loopback.run(self.sockets.wedge())

    def mend(self) -> None:
        """The end of `wedge`."""
        self._loopback.run(self.sockets.mend())
