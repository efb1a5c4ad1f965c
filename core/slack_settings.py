"""The settings of Slack, under the names that everybody's documentation uses for them.

Slack hands out six different secrets on four pages, so each is checked for being another one.
"""

import re
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings

from core.setting_names import named
from core.setting_types import CommaSeparated

SLACK_API_URL = "https://slack.com/api/"
_WORKSPACE = re.compile(r"[TE][A-Z0-9]{2,}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,}")
_CLIENT_ID = re.compile(r"\d+\.\d+")
# What `openssl rand -hex 32` gives; a password that somebody thought of is shorter.
_KEY_CHARS = 32
# The beginning of a secret, what it is, and where it belongs.
_KINDS = (
    ("xoxb-", "a bot token", "SLACK_BOT_TOKEN"),
    ("xapp-", "an app-level token", "SLACK_APP_TOKEN"),
    ("xoxp-", "a user token, which Glimt never needs", ""),
    ("xoxe.", "a token that expires after some hours, because token rotation is on", ""),
    ("xoxe-", "a refresh token, which Glimt gets by itself", ""),
    ("xoxc-", "a token of a browser, which Glimt never needs", ""),
)
_WHERE = {
    "SLACK_BOT_TOKEN": "it begins with xoxb- and stands under OAuth & Permissions, after the app was installed",
    "SLACK_APP_TOKEN": "it begins with xapp- and is made under Basic Information, App-Level Tokens",
    "SLACK_SIGNING_SECRET": "it is 32 letters and digits under Basic Information, App Credentials",
    "SLACK_CLIENT_SECRET": "it is 32 letters and digits under Basic Information, App Credentials",
}


class SlackSettings(BaseSettings):
    """Slack is served when there is a bot token (one workspace) or a client id (any number, by OAuth), or both."""

    slack_bot_token: SecretStr = named("SLACK_BOT_TOKEN", default=SecretStr(""), description="xoxb-…: one workspace")
    slack_app_token: SecretStr = named("SLACK_APP_TOKEN", default=SecretStr(""), description="xapp-…: Socket Mode")
    slack_signing_secret: SecretStr = named(
        "SLACK_SIGNING_SECRET", default=SecretStr(""), description="proves requests to be Slack's in HTTP mode"
    )
    slack_client_id: str = named("SLACK_CLIENT_ID", default="", description="with its secret: many workspaces by OAuth")
    slack_client_secret: SecretStr = named("SLACK_CLIENT_SECRET", default=SecretStr(""))
    slack_api_url: str = named(
        "SLACK_API_URL", default=SLACK_API_URL, description="where Slack's API is; for proxies and tests"
    )
    slack_transport: Literal["auto", "socket", "http", "off"] = Field(
        "auto", description="auto: socket with an app token; off: Slack is not served"
    )
    slack_workspaces: CommaSeparated = Field((), description="ids of the only workspaces that are served; empty: all")
    slack_channels: CommaSeparated = Field((), description="ids of the only channels that are served; empty: all")
    slack_threads: Literal["all", "mentions"] = Field(
        "all", description="which messages are answered in a thread that it takes part in"
    )
    slack_steering: Literal["everybody", "admins"] = Field(
        "everybody", description="who may choose the mode of a channel, and hand it over to a person or take it back"
    )
    slack_deleted: Literal["erase", "keep"] = Field(
        "erase", description="what becomes of a question whose message is deleted in Slack"
    )
    slack_token_keys: SecretStr = Field(
        SecretStr(""), description="seal the tokens of installed workspaces: the first seals, the others still open"
    )

    @field_validator("slack_bot_token", "slack_app_token", "slack_signing_secret", "slack_client_secret")
    @classmethod
    def _is_none_of_the_others(cls, secret: SecretStr, info: object) -> SecretStr:
        name = str(getattr(info, "field_name", "")).upper()
        value = secret.get_secret_value()
        if not value:
            return secret
        if value != value.strip() or any(c.isspace() for c in value):
            raise PydanticCustomError("slack_secret", "there is a space in it: copy it again")
        for beginning, what, belongs in _KINDS:
            if value.startswith(beginning) and belongs != name:
                remedy = f"it belongs into {belongs}" if belongs else _remedy(beginning)
                raise _wrong_secret(f"this is {what}; {remedy}. For {name}, {_WHERE[name]}")
        if name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
            wanted = "xoxb-" if name == "SLACK_BOT_TOKEN" else "xapp-"
            if not value.startswith(wanted):
                raise _wrong_secret(f"this is none; {_WHERE[name]}")
        return secret

    @field_validator("slack_client_id")
    @classmethod
    def _is_a_client_id(cls, value: str) -> str:
        if value and not _CLIENT_ID.fullmatch(value):
            raise PydanticCustomError(
                "slack_client_id", "this is none: two numbers with a dot, under Basic Information, App Credentials"
            )
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _ends_in_a_slash(cls, url: str) -> str:
        # The SDK appends the method's name to it.
        try:
            parts = urlsplit(url)
            plain = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            plain = False
        if not plain or "@" in parts.netloc or parts.query or parts.fragment:
            raise PydanticCustomError("slack_api_url", "this is no address such as https://slack.com/api/")
        return url.rstrip("/") + "/"

    @field_validator("slack_workspaces")
    @classmethod
    def _are_workspaces(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        return _ids(ids, _WORKSPACE, "workspaces such as T0123ABCD, as in the address app.slack.com/client/T0123ABCD")

    @field_validator("slack_channels")
    @classmethod
    def _are_channels(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        return _ids(ids, _CHANNEL, "channels such as C0123ABCD, at the end of a channel's details")

    @field_validator("slack_token_keys")
    @classmethod
    def _are_long(cls, keys: SecretStr) -> SecretStr:
        if any(len(key) < _KEY_CHARS for key in _split_keys(keys)):
            raise PydanticCustomError(
                "slack_token_keys", f"each needs {_KEY_CHARS} characters or more: openssl rand -hex 32"
            )
        return keys

    @model_validator(mode="after")
    def _slack_is_complete(self) -> Self:
        if self.slack_transport == "off":
            return self

        def refuse(what: str) -> None:
            raise PydanticCustomError("slack", what)

        app_token = bool(self.slack_app_token.get_secret_value())
        signing = bool(self.slack_signing_secret.get_secret_value())
        client_secret = bool(self.slack_client_secret.get_secret_value())
        if self.slack_client_id and not client_secret:
            refuse("SLACK_CLIENT_ID needs SLACK_CLIENT_SECRET, from the same page")
        if client_secret and not self.slack_client_id:
            refuse("SLACK_CLIENT_SECRET needs SLACK_CLIENT_ID, from the same page")
        if not self.slack_enabled:
            if app_token or signing:
                refuse(
                    f"{'SLACK_APP_TOKEN' if app_token else 'SLACK_SIGNING_SECRET'} is set, but no workspace: "
                    "SLACK_BOT_TOKEN is missing (or SLACK_CLIENT_ID, for many workspaces)"
                )
            return self
        if self.slack_transport == "socket" and not app_token:
            refuse(f"GLIMT_SLACK_TRANSPORT=socket needs SLACK_APP_TOKEN: {_WHERE['SLACK_APP_TOKEN']}")
        if self.slack_transport == "http" and not signing:
            refuse(f"GLIMT_SLACK_TRANSPORT=http needs SLACK_SIGNING_SECRET: {_WHERE['SLACK_SIGNING_SECRET']}")
        if not app_token and not signing:
            refuse(
                "Slack needs SLACK_APP_TOKEN (Socket Mode, no public address needed) or SLACK_SIGNING_SECRET "
                "(HTTP, when Slack can reach this installation)"
            )
        if self.slack_client_id and not self.slack_token_keys.get_secret_value():
            refuse(
                "SLACK_CLIENT_ID needs GLIMT_SLACK_TOKEN_KEYS, which seals the tokens of workspaces that install "
                "Glimt: openssl rand -hex 32"
            )
        return self

    @property
    def slack_enabled(self) -> bool:
        """Whether any workspace can be served."""
        return self.slack_transport != "off" and bool(self.slack_bot_token.get_secret_value() or self.slack_client_id)

    @property
    def slack_socket(self) -> bool:
        """Whether Slack's events come over Socket Mode; else Slack posts them to `/slack/events`."""
        if self.slack_transport == "auto":
            return bool(self.slack_app_token.get_secret_value())
        return self.slack_transport == "socket"

    @property
    def slack_sealing_keys(self) -> tuple[str, ...]:
        """The keys that seal stored tokens, the one in use first."""
        return _split_keys(self.slack_token_keys)


def _split_keys(keys: SecretStr) -> tuple[str, ...]:
    return tuple(key.strip() for key in keys.get_secret_value().split(",") if key.strip())


def _ids(ids: tuple[str, ...], pattern: re.Pattern[str], what: str) -> tuple[str, ...]:
    if not all(pattern.fullmatch(one) for one in ids):
        raise PydanticCustomError("slack_ids", "names do not work here; give ids of {what}", {"what": what})
    return ids


def _remedy(beginning: str) -> str:
    if beginning == "xoxe.":
        return "make the app anew without it (it cannot be turned off), or use OAuth (SLACK_CLIENT_ID)"
    return "take another one"


def _wrong_secret(words: str) -> PydanticCustomError:
    return PydanticCustomError("slack_secret", "{words}", {"words": words})
