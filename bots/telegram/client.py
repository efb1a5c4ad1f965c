"""The Bot API's client: how it is reached, and how long is waited for it.

Intake has a client of its own, so that no flood of answers keeps updates or downloads waiting for a connection.
Neither waits or repeats by itself: who calls decides.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from telegram import Bot, Update, User
from telegram.error import TelegramError
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from bots.telegram.limits import Limits
from bots.telegram.refusals import error_code
from core.settings import Settings

log = structlog.get_logger(__name__)

CONNECT_S = 10.0
READ_S = 15.0
WRITE_S = 15.0
# A picture of some megabytes over a slow line.
MEDIA_WRITE_S = 60.0
# Answers that are sent or edited at once; the limits of Telegram itself are far below.
SENDING_CONNECTIONS = 64
INTAKE_CONNECTIONS = 24
# How long one `getUpdates` waits for something to happen.
POLL_S = 25
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


class QuietRequest(HTTPXRequest):
    """The SDK's, which would log what it cannot read, with people's words in it."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The server's answer.

        Raises:
            TelegramError: it is no JSON.
        """
        try:
            answer = json.loads(payload)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise TelegramError("Invalid server response")
        return answer


class UpdatesRequest(QuietRequest):
    """For `getUpdates`: one update that the SDK cannot read must not hide the others, nor come again for ever.

    It becomes an update that says nothing.
    """

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """As `QuietRequest`, with every update made readable."""
        answer = QuietRequest.parse_json_payload(payload)
        if isinstance(result := answer.get("result"), list):
            answer["result"] = [readable(update) for update in result]
        return answer


def readable(update: dict[str, Any]) -> dict[str, Any]:
    """The update, or one with nothing but its id where the SDK cannot read it."""
    try:
        Update.de_json(update, None)
    except Exception as error:
        log.error("telegram_update_unreadable", update=update.get("update_id"), error=type(error).__name__)
        return {"update_id": update["update_id"]}
    return update


@asynccontextmanager
async def open_bot(
    settings: Settings, connections: int = SENDING_CONNECTIONS, limits: Limits | None = None
) -> AsyncIterator[Bot]:
    """A client that has asked for nothing yet (`greet`); its connections are closed with the block. `limits`: its calls
    keep to them.

    Proxies are those of the environment (HTTPS_PROXY …).
    """
    requests = (_request(UpdatesRequest, 2), _request(QuietRequest, connections))
    bot: Bot = ExtBot(
        settings.telegram_bot_token.get_secret_value(),
        base_url=f"{settings.telegram_api_url}/bot",
        base_file_url=f"{settings.telegram_api_url}/file/bot",
        get_updates_request=requests[0],
        request=requests[1],
        # It would have uploads name local paths instead of bytes.
        local_mode=False,
        rate_limiter=limits,
    )
    try:
        yield bot
    finally:
        for request in requests:
            await request.shutdown()


async def greet(*bots: Bot) -> User:
    """Ask Telegram who we are, until it answers; then `bot.bot` is known too."""
    pause = _FIRST_PAUSE_S
    while True:
        try:
            for bot in bots:
                await bot.initialize()
            return bots[0].bot
        except TelegramError as error:
            # Not the error's own words: they quote the token.
            log.warning("telegram_not_reached", error=error_code(error), remedy="glimt doctor telegram")
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def _request(kind: type[HTTPXRequest], connections: int) -> HTTPXRequest:
    return kind(
        connection_pool_size=connections,
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        write_timeout=WRITE_S,
        media_write_timeout=MEDIA_WRITE_S,
        # Waiting for a free connection is no failure.
        pool_timeout=60.0,
    )
