"""The settings of Telegram."""

import hmac
import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings

from core.setting_names import named
from core.setting_types import CommaSeparated

TELEGRAM_API_URL = "https://api.telegram.org"
TELEGRAM_WEBHOOK_PATH = "/telegram/webhook"
_TOKEN = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{30,64}")
# What Telegram allows in `secret_token`; what is shorter, somebody thought of.
_SECRET = re.compile(r"[A-Za-z0-9_-]{24,256}")
_DIFFERENT_CHARS = 8
_USER = re.compile(r"\d{1,20}")
_CHAT = re.compile(r"-?\d{1,20}")
_WHERE = "@BotFather shows it after /newbot or /token: digits, a colon, and some 35 letters and digits"
_PORTS = (443, 80, 88, 8443)


class TelegramSettings(BaseSettings):
    """Telegram is served when there is a bot token."""

    telegram_bot_token: SecretStr = named(
        "TELEGRAM_BOT_TOKEN", default=SecretStr(""), description="what @BotFather shows: 123456:ABC…"
    )
    telegram_api_url: str = named(
        "TELEGRAM_API_URL",
        default=TELEGRAM_API_URL,
        description="where the Bot API is; for a local server, proxies and tests",
    )
    telegram_transport: Literal["polling", "webhook", "off"] = Field(
        "polling", description="how updates come: we ask for them, or Telegram posts them; off: Telegram is not served"
    )
    telegram_webhook_url: str = Field(
        "", description="address that Telegram posts to; empty: /telegram/webhook under public_url"
    )
    telegram_webhook_secret: SecretStr = Field(
        SecretStr(""), description="proves posted updates to be Telegram's; empty: made from the bot token"
    )
    telegram_files_dir: Path | None = Field(
        None, description="folder of a local Bot API server that runs with --local: files are read there"
    )
    telegram_users: CommaSeparated = Field((), description="ids of the only people who are served; empty: all")
    telegram_chats: CommaSeparated = Field((), description="ids of the only groups that are served; empty: all")
    telegram_business: Literal["answer", "approve", "off"] = Field(
        "answer", description="in a business account's chats: answer, show its owner each answer first, or keep out"
    )
    telegram_approval_h: float = Field(
        23.0,
        gt=0.0,
        le=24.0,
        description="hours that an owner has to approve an answer; Telegram sends none after a day",
    )
    telegram_album_wait_s: float = Field(
        2.0, ge=0.2, le=9.0, description="how long an album waits for further pictures, from the arrival of the last"
    )
    telegram_caption_wait_s: float = Field(
        3.0, ge=0.0, le=9.0, description="how long a picture without words waits for those that follow"
    )

    @field_validator("telegram_bot_token")
    @classmethod
    def _is_a_bot_token(cls, secret: SecretStr) -> SecretStr:
        value = secret.get_secret_value()
        if value and not _TOKEN.fullmatch(value):
            spaced = any(c.isspace() for c in value)
            said = "there is a space in it: copy it again" if spaced else f"this is none; {_WHERE}"
            raise PydanticCustomError("telegram_token", "{said}", {"said": said})
        return secret

    @field_validator("telegram_api_url")
    @classmethod
    def _is_an_api(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            plain = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            plain = False
        # The SDK fills braces in an address.
        if not plain or "@" in parts.netloc or parts.query or parts.fragment or "{" in url:
            raise PydanticCustomError("telegram_api_url", "this is no address such as http://127.0.0.1:8081")
        if re.search(r"/(file/)?bot\d*(:|/|$)", parts.path):
            raise PydanticCustomError(
                "telegram_api_url", "only the server's address, without /bot and the token: http://127.0.0.1:8081"
            )
        return url.rstrip("/")

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _is_strong(cls, secret: SecretStr) -> SecretStr:
        value = secret.get_secret_value()
        if value and (not _SECRET.fullmatch(value) or len(set(value)) < _DIFFERENT_CHARS):
            raise PydanticCustomError(
                "telegram_webhook_secret",
                "it needs 24 to 256 letters, digits, _ or -: openssl rand -hex 32 (or leave it empty: one is made from "
                "the bot token)",
            )
        return secret

    @field_validator("telegram_webhook_url")
    @classmethod
    def _is_a_webhook(cls, url: str) -> str:
        if not url:
            return url
        try:
            parts = urlsplit(url)
            port = parts.port
            plain = parts.scheme == "https" and parts.hostname and not parts.query and not parts.fragment
        except ValueError:
            plain, port = False, None
        if not plain or "@" in parts.netloc:
            raise PydanticCustomError(
                "telegram_webhook_url", "this is no address such as https://glimt.example.org/telegram/webhook"
            )
        if port is not None and port not in _PORTS:
            raise PydanticCustomError("telegram_webhook_url", "Telegram posts to the ports 443, 80, 88 and 8443 only")
        return url

    @field_validator("telegram_users")
    @classmethod
    def _are_users(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_USER.fullmatch(one) for one in ids):
            raise PydanticCustomError(
                "telegram_users",
                "names do not work here; give numbers, as the log shows them: telegram_not_served",
            )
        return ids

    @field_validator("telegram_chats")
    @classmethod
    def _are_chats(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_CHAT.fullmatch(one) for one in ids):
            raise PydanticCustomError(
                "telegram_chats",
                "names do not work here; give numbers such as -1001234567890, as the log shows them",
            )
        return ids

    @model_validator(mode="after")
    def _telegram_is_complete(self) -> Self:
        def refuse(what: str) -> None:
            raise PydanticCustomError("telegram", what)

        if self.telegram_transport == "off":
            return self
        if self.telegram_files_dir is not None and self.telegram_api_url == TELEGRAM_API_URL:
            refuse(
                "GLIMT_TELEGRAM_FILES_DIR is the folder of a Bot API server of your own: TELEGRAM_API_URL must name it"
            )
        if self.telegram_transport == "webhook" and self.telegram_enabled and not self.telegram_webhook:
            refuse(
                "GLIMT_TELEGRAM_TRANSPORT=webhook needs the https address at which Telegram reaches this installation: "
                "GLIMT_PUBLIC_URL or GLIMT_TELEGRAM_WEBHOOK_URL. Without one, leave it at polling"
            )
        return self

    @property
    def telegram_enabled(self) -> bool:
        """Whether Telegram is served."""
        return self.telegram_transport != "off" and bool(self.telegram_bot_token.get_secret_value())

    @property
    def telegram_bot_id(self) -> str:
        """The bot's own id, which its token begins with; empty without a token."""
        return self.telegram_bot_token.get_secret_value().partition(":")[0]

    @property
    def telegram_webhook(self) -> str:
        """The address that Telegram posts to; empty: there is none."""
        if self.telegram_webhook_url:
            return self.telegram_webhook_url
        # In the settings of the web channel, of which this is a part.
        public = str(getattr(self, "public_url", "")).rstrip("/")
        return public + TELEGRAM_WEBHOOK_PATH if public.startswith("https://") else ""

    @property
    def telegram_secret(self) -> str:
        """What Telegram sends along with every posted update."""
        given = self.telegram_webhook_secret.get_secret_value()
        token = self.telegram_bot_token.get_secret_value().encode()
        return given or hmac.digest(token, b"glimt telegram webhook", "sha256").hex()
