"""What `glimt doctor telegram` looks at: token, transport, groups, business accounts; and what to do about it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
from redis import Redis
from redis.exceptions import RedisError
from telegram import Bot, User
from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, TelegramError

from bots.chat.checks import Check, Worry, Wrong, last_event, made, unreachable
from bots.chat.commands import COMMANDS
from bots.telegram.client import open_bot
from bots.telegram.polling import CONFLICT_KEY
from bots.telegram.updates import ALLOWED_UPDATES
from core.queue.connect import connect
from core.settings import Settings
from core.store.database import Store
from core.telegram_settings import TELEGRAM_API_URL
from core.values import Platform

TIMEOUT_S = 10.0
# An error that Telegram met at our address so long ago is not news.
_RECENT = timedelta(hours=1)
_MANY_WAIT = 100
_PRIVACY = (
    "privacy mode is on: in groups it sees commands (/ask …), mentions and replies to it, but no picture that was sent "
    "before. To have those seen: @BotFather, /setprivacy, Disable; then remove the bot from each group and add it again"
)


class TelegramDoctor:
    """Makes the checks, one after another; none of them raises, changes anything, or sends a message."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._me: User | None = None

    async def checks(self) -> AsyncIterator[Check]:
        """All that apply to these settings, each as soon as it is done."""
        settings = self._settings
        if not settings.telegram_enabled:
            yield Check(
                "telegram",
                False,
                "No bot: TELEGRAM_BOT_TOKEN is not set. In Telegram, write /newbot to @BotFather; it shows the token.",
            )
            return
        async with open_bot(settings, 2) as bot:
            yield await self._made("telegram bot token", lambda: self._token(bot))
            if self._me is not None:
                me = self._me
                if settings.telegram_transport == "webhook":
                    yield await self._made("telegram webhook", lambda: self._webhook(bot))
                    yield await self._made("telegram address", self._address)
                else:
                    yield await self._made("telegram polling", lambda: self._polling(bot))
                yield await self._made("telegram groups", lambda: self._groups(me))
                if settings.telegram_chats:
                    yield await self._made("telegram chats", lambda: self._chats(bot, me))
                yield await self._made("telegram business", lambda: self._business(me))
                yield await self._made("telegram commands", lambda: self._commands(bot))
        yield await self._made("telegram files", self._files)
        yield await self._made("telegram updates", self._updates)

    async def _made(self, what: str, check: Callable[[], Awaitable[str]]) -> Check:
        return await made(what, check, self._refused)

    def _refused(self, error: Exception) -> str | None:
        if isinstance(error, (BadRequest, Forbidden, Conflict)):
            return f"Telegram says: {error}"
        if isinstance(error, TelegramError):
            # Its own words may quote the address, which holds the token.
            return unreachable(self._settings.telegram_api_url, TELEGRAM_API_URL, "TELEGRAM_API_URL", error)
        return None

    async def _token(self, bot: Bot) -> str:
        try:
            self._me = await bot.get_me()
        except InvalidToken:
            raise Wrong(
                "Telegram does not know this token. @BotFather shows it again: /mybots, the bot, API Token. A bot that "
                "has moved to a server of its own (logOut) is known only there: TELEGRAM_API_URL."
            ) from None
        return f"@{self._me.username} ({self._me.id})"

    async def _polling(self, bot: Bot) -> str:
        info = await bot.get_webhook_info()
        if info.url:
            raise Worry(
                f"A webhook is set, at {urlsplit(info.url).hostname}, so nobody can poll. `glimt bots` removes it when "
                "it starts. If another installation set it, give this one a bot of its own: they would take turns."
            )
        if await asyncio.to_thread(self._conflicts):
            raise Wrong(
                "Another process polls with this token: each gets some of the messages. Stop it (a second Glimt, an "
                "old bot, somebody's test), or take a token of its own: @BotFather, /newbot."
            )
        if info.pending_update_count > _MANY_WAIT:
            raise Worry(f"{info.pending_update_count} updates wait to be taken. Is `glimt bots` running?")
        return f"nobody else has this bot; {info.pending_update_count} updates wait"

    def _conflicts(self) -> bool:
        """Whether `glimt bots` has met another poller in the last minutes."""
        client: Redis = connect(self._settings.queue_url)
        try:
            return client.get(CONFLICT_KEY + self._settings.telegram_bot_id) is not None
        except RedisError:
            # `glimt doctor` says so elsewhere.
            return False
        finally:
            client.close()

    async def _webhook(self, bot: Bot) -> str:
        info, ours = await bot.get_webhook_info(), self._settings.telegram_webhook
        if not info.url:
            raise Worry("None is set: `glimt bots` sets it when it starts, and has not yet. Is it running?")
        if info.url != ours:
            raise Wrong(
                f"It is set to {urlsplit(info.url).hostname}, not to {ours}. `glimt bots` sets it when it starts; if "
                "another installation has this token, too, give this one a bot of its own."
            )
        missing = set(ALLOWED_UPDATES) - set(info.allowed_updates or ())
        if missing:
            raise Worry(
                f"It does not bring {', '.join(sorted(missing))}: start `glimt bots` again, which asks for them."
            )
        failed_at = info.last_error_date
        if failed_at is not None and datetime.now(UTC) - failed_at < _RECENT:
            raise Wrong(
                f"Telegram could not post at {failed_at:%H:%M} UTC: {info.last_error_message}. "
                f"{info.pending_update_count} updates wait. It needs https with a certificate that is known "
                "everywhere, on port 443, 80, 88 or 8443."
            )
        return f"Telegram posts to {info.url}; {info.pending_update_count} updates wait"

    async def _address(self) -> str:
        url = self._settings.telegram_webhook
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                status = (await client.post(url, content=b"{}")).status_code
        except httpx.HTTPError as error:
            raise Worry(
                f"{url} does not answer from here ({type(error).__name__}). Is `glimt bots` running, and does the "
                "proxy know the name?"
            ) from None
        if status == 403:
            raise Wrong(f"{url} is refused from elsewhere as long as there is no key: glimt keys create --name NAME")
        if status != 401:
            raise Worry(
                f"{url} answers {status} instead of refusing a post without the secret with 401: does the proxy pass "
                "/telegram/ on to the bots process, and does that run with these settings?"
            )
        return "ours, and refuses what is not Telegram's"

    async def _groups(self, me: User) -> str:
        if not me.can_join_groups:
            raise Worry("It cannot be added to groups: @BotFather, /setjoingroups, Enable (if it shall be).")
        if me.can_read_all_group_messages:
            return (
                "privacy mode is off: it sees what everybody says in groups that it was added to since, and answers "
                "where it is meant"
            )
        return _PRIVACY

    async def _chats(self, bot: Bot, me: User) -> str:
        wrong = []
        for chat in self._settings.telegram_chats:
            try:
                member = await bot.get_chat_member(int(chat), me.id)
                if member.status in (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED):
                    wrong.append(f"{chat}: not a member")
            except (BadRequest, Forbidden) as error:
                wrong.append(f"{chat}: {error}")
        if wrong:
            raise Worry(f"{'; '.join(wrong)}. Add @{me.username} there; a group that became a supergroup has a new id.")
        return f"a member of all {len(self._settings.telegram_chats)}"

    async def _business(self, me: User) -> str:
        how = self._settings.telegram_business
        if how == "off":
            return "off (GLIMT_TELEGRAM_BUSINESS)"
        if not me.can_connect_to_business:
            return "not enabled at @BotFather (/mybots, the bot, Bot Settings, Business Mode): only needed for that"
        connected, mute = await asyncio.to_thread(self._connections)
        if mute:
            raise Worry(
                f"{mute} of {connected} accounts that connected the bot do not let it reply: in their Telegram, "
                "Settings, Business, Chatbots, allow it to reply to messages."
            )
        asks = "owners are shown each answer first" if how == "approve" else "answers at once"
        return f"{connected} accounts connected; {asks}"

    def _connections(self) -> tuple[int, int]:
        """Business accounts that connected the bot, and those of them in which it may not answer."""
        store = Store(self._settings.sql_url)
        try:
            with store.read() as repositories:
                rows = repositories.telegram.connections(self._settings.telegram_bot_id)
        finally:
            store.close()
        enabled = [row for row in rows if row.enabled]
        return len(enabled), sum(not row.can_reply for row in enabled)

    async def _commands(self, bot: Bot) -> str:
        there = {command.command for command in await bot.get_my_commands()}
        missing = [name for name in COMMANDS if name not in there]
        if missing:
            raise Worry(f"The menu lacks {', '.join(missing)}: `glimt bots` writes it when it starts.")
        return f"all {len(COMMANDS)} in the menu"

    async def _files(self) -> str:
        settings = self._settings
        if settings.telegram_api_url == TELEGRAM_API_URL:
            return "up to 20 MB, as Telegram's own server hands them out"
        folder = settings.telegram_files_dir
        if folder is None:
            return (
                "fetched from TELEGRAM_API_URL. If that server runs with --local, set GLIMT_TELEGRAM_FILES_DIR to its "
                "folder"
            )
        if not await asyncio.to_thread(folder.is_dir):
            raise Wrong(
                f"{folder} is no folder here: GLIMT_TELEGRAM_FILES_DIR must name the one in which the Bot API server "
                "keeps its files, by the same path as it has for that server."
            )
        return f"read from {folder}"

    async def _updates(self) -> str:
        last = await last_event(self._settings, Platform.TELEGRAM)
        if not last:
            raise Worry("Nothing has arrived from Telegram yet. With `glimt bots` running, write to the bot.")
        return f"the last message arrived {last}"
