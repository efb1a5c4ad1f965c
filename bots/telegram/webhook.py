"""Webhook: Telegram posts updates to our web app. An update is in SQL before it is told that it arrived.

Whoever finds the address can post to it, so nothing looks at a body before its secret was compared.
"""

import asyncio
import hmac
import json
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from telegram import Bot, Update, User
from telegram.error import RetryAfter, TelegramError

from bots.telegram.client import greet, readable
from bots.telegram.refusals import error_code, retry_after_s
from bots.telegram.updates import ALLOWED_UPDATES, Updates
from core.errors import GlimtError
from core.settings import MIB, Settings
from core.telegram_settings import TELEGRAM_WEBHOOK_PATH
from serving.bodies import Bodies

log = structlog.get_logger(__name__)

SECRET_HEADER = "x-telegram-bot-api-secret-token"
# A message has 4,096 characters, and what it replies to as many.
BODY_LIMIT = 1 * MIB
# Posts that Telegram may have open at once: as many as it allows, since each is short.
CONNECTIONS = 40
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


class Webhook:
    """Has Telegram post to us, and takes what it posts. `others` are clients that must know who we are, too."""

    def __init__(self, bot: Bot, updates: Updates, settings: Settings, others: tuple[Bot, ...] = ()) -> None:
        self._bot = bot
        self._others = others
        self._updates = updates
        self._settings = settings
        self._secret = settings.telegram_secret.encode()
        self._me: User | None = None

    async def register(self) -> None:
        """Tell Telegram where we are; then until this is cancelled nothing."""
        self._me = await greet(self._bot, *self._others)
        pause = _FIRST_PAUSE_S
        while True:
            try:
                await self._bot.set_webhook(
                    self._settings.telegram_webhook,
                    secret_token=self._settings.telegram_secret,
                    allowed_updates=ALLOWED_UPDATES,
                    max_connections=CONNECTIONS,
                    drop_pending_updates=False,
                )
                log.info("telegram_webhook_set", bot=self._me.username)
                return
            except TelegramError as error:
                log.warning("telegram_webhook_not_set", error=error_code(error), remedy="glimt doctor telegram")
                wait = retry_after_s(error) if isinstance(error, RetryAfter) else pause
            await asyncio.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def mount(self, app: FastAPI) -> None:
        """Let Telegram's posts in."""
        bodies = Bodies(self._settings)

        @app.post(TELEGRAM_WEBHOOK_PATH)
        async def update(request: Request) -> Response:
            if not self._is_telegrams(request):
                return JSONResponse({"error": "invalid request"}, 401)
            with bodies.admit(request, BODY_LIMIT) as admitted:
                return Response(status_code=await self._take(await admitted.body()))

    def _is_telegrams(self, request: Request) -> bool:
        secrets = request.headers.getlist(SECRET_HEADER)
        # Compared as bytes: a header may hold what is no ASCII.
        return len(secrets) == 1 and hmac.compare_digest(secrets[0].encode("utf-8", "replace"), self._secret)

    async def _take(self, body: bytes) -> int:
        """The status to answer with; beyond 2xx Telegram posts the update again."""
        if self._me is None:
            # Somebody has to know our name first.
            return 503
        try:
            data: Any = json.loads(body)
            if not isinstance(data, dict) or not isinstance(data.get("update_id"), int):
                return 400
            update = Update.de_json(readable(data), self._bot)
            await self._updates.take(update, self._me)
        except ValueError:
            return 400
        except (GlimtError, TelegramError) as error:
            code = error.code if isinstance(error, GlimtError) else error_code(error)
            log.warning("telegram_update_not_taken", error=code)
            return 503
        return 200
