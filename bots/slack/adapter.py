"""The Slack adapter: put together, started, stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import structlog
from fastapi import FastAPI
from slack_bolt.async_app import AsyncApp

from bots.chat.background import Background
from bots.chat.commands import Commands
from bots.chat.deliver import Deliverer
from bots.services import Services
from bots.slack.access import open_access
from bots.slack.bolt import Body, make_bolt
from bots.slack.clients import Clients
from bots.slack.desk import Desk
from bots.slack.download import Downloader
from bots.slack.file_hosts import FileHosts
from bots.slack.gather import SlackGatherer
from bots.slack.home import Home
from bots.slack.http import mount
from bots.slack.inbox import Inbox
from bots.slack.listening import Listening
from bots.slack.manifest import suggested_prompts
from bots.slack.people import People
from bots.slack.platform import SlackPlatform
from bots.slack.pressing import Pressing
from bots.slack.refusals import FAILURES, error_code
from bots.slack.socket import PING_S, SocketTransport
from bots.slack.uninstall import Uninstaller
from core.errors import NotAllowed

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SlackAdapter:
    """`bolt` takes requests of HTTP mode; `socket` is None there."""

    bolt: AsyncApp
    desk: Desk
    socket: SocketTransport | None


class _Handlers:
    """Bolt's requests, each to where it is understood."""

    def __init__(self, desk: Desk, uninstaller: Uninstaller) -> None:
        self._desk = desk
        self._uninstaller = uninstaller
        self._inbox = Inbox(desk)
        self._home = Home(desk)
        self._pressing = Pressing(desk, self._inbox)
        self.command = self._pressing.command
        self.shortcut = self._pressing.shortcut
        self.submission = self._pressing.submission

    async def event(self, team: str, bot_user: str, event: Body, body: Body) -> None:
        """What happened in a workspace."""
        match event.get("type"):
            case "message" | "app_mention":
                await self._inbox.message(team, bot_user, event, str(body.get("event_id") or ""))
            case "agent_session_stopped":
                await self._inbox.stopped(team, event)
            case "app_uninstalled" | "tokens_revoked":
                await self._uninstaller.handle(team, event, float(body.get("event_time") or 0.0))
            case "app_home_opened" if event.get("tab") == "messages":
                self._desk.background.start(self._suggest(team, event))
            case "app_home_opened":
                self._desk.background.start(self._home.opened(team, str(event.get("user") or "")))

    async def action(self, team: str, body: Body) -> None:
        """A button, of a message or of the Home tab."""
        if (body.get("view") or {}).get("type") == "home":
            self._desk.background.start(self._home.pressed(team, body))
        else:
            await self._pressing.action(team, body)

    async def _suggest(self, team: str, event: Body) -> None:
        """Questions to begin with, in the language of whoever opened the conversation with us."""
        texts = await self._desk.texts(team, str(event.get("user") or ""))
        prompts = [{"title": title, "message": message} for title, message in suggested_prompts(texts.language)]
        try:
            client = await self._desk.clients.of(team)
            # Without a thread: so it is for apps with `agent_view`.
            await client.assistant_threads_setSuggestedPrompts(channel_id=str(event.get("channel")), prompts=prompts)
        except (*FAILURES, NotAllowed) as error:
            log.info("slack_prompts_not_set", error=error_code(error))


@asynccontextmanager
async def open_slack(services: Services, app: FastAPI, *, ping_s: float = PING_S) -> AsyncIterator[SlackAdapter]:
    """The running adapter: answers go out, and events come in over Socket Mode or through `app`, which also gets the
    addresses at which workspaces install us. `ping_s`: see `SocketTransport`.

    Raises:
        ConfigurationError: the settings do not allow it.
    """
    settings = services.settings
    async with aiohttp.ClientSession() as session, open_access(settings, session) as access:
        access.mount(app)
        clients = Clients(access.tokens, settings.slack_api_url, session, access.tokens.forget)
        async with _open_desk(services, clients, session) as desk:
            handlers = _Handlers(desk, access.uninstaller(services))
            bolt = make_bolt(clients, handlers, settings.slack_signing_secret.get_secret_value())
            socket = None
            tasks = [asyncio.create_task(desk.gatherer.resume(), name="slack-gathering")]
            if settings.slack_socket:
                app_token = settings.slack_app_token.get_secret_value()
                socket = SocketTransport(bolt, app_token, settings.slack_api_url, ping_s=ping_s)
                tasks.append(asyncio.create_task(socket.run(), name="slack-socket"))
            else:
                mount(app, bolt, settings)
            try:
                yield SlackAdapter(bolt, desk, socket)
            finally:
                # First nothing more comes in, then what is under way is let go.
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _open_desk(services: Services, clients: Clients, session: aiohttp.ClientSession) -> AsyncIterator[Desk]:
    settings = services.settings
    hosts = FileHosts(settings.slack_api_url)
    downloader = Downloader(session, hosts, settings.picture_max_bytes, proxy=clients.bare().proxy)
    background = Background()
    platform = SlackPlatform(services, clients)
    async with Deliverer(platform, services) as deliverer:
        gatherer = SlackGatherer(services, background, clients, downloader)
        people, commands = People(clients), Commands(services)
        try:
            listening = Listening(settings, services.policies)
            yield Desk(services, clients, people, commands, gatherer, platform, deliverer, background, listening)
        finally:
            await background.close()
