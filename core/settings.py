"""Settings: environment variables (or `.env`), read once at start, frozen, handed down to whoever needs them.

An empty variable means the default, so that compose files can pass variables through without inventing values.
"""

import os
import re
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote, urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from core.console_settings import ConsoleSettings
from core.errors import ConfigurationError
from core.setting_names import PREFIX, explain_unknown, named, variable
from core.setting_types import CommaSeparated
from core.slack_settings import SlackSettings
from core.telegram_settings import TelegramSettings
from core.values import Quantisation

MIB = 1024 * 1024
ENV_FILE = ".env"
NO_EYES = "none"
_DEVICE = re.compile(r"auto|cpu|mps|(cuda|xpu)(:\d+)?|cuda:\d+(,cuda:\d+)+")


class Settings(SlackSettings, TelegramSettings, ConsoleSettings):
    """All settings of all processes. Units are in the names or the descriptions.

    Those of one platform are in a base class of their own.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, env_ignore_empty=True, frozen=True, extra="ignore", populate_by_name=True
    )

    # Where things are kept.
    data_dir: Path = Field(Path("var"), description="folder of the embedded database, blobs and Redis")
    database_url: str = named("DATABASE_URL", default="", description="empty: SQLite in data_dir")
    redis_url: str = named("REDIS_URL", default="", description="empty: an embedded server in data_dir")
    blobs_url: str = Field("", description="fsspec URL of the blob store; empty: data_dir/blobs")

    # The model.
    model: str = Field(
        "demo", description="'demo', 'auto', a preset, a folder, a hub name, or what the backend calls it"
    )
    model_revision: str = Field("", description="commit of a hub model; required for hub names that are no preset's")
    eyes: str = Field("", description="a second model that looks at pictures for a model that reads text only")
    eyes_revision: str = Field("", description="commit of the eyes, as for the model")
    backend: Literal["transformers", "openai"] = Field(
        "transformers", description="what computes answers: this process, or a server that speaks the OpenAI API"
    )
    backend_url: str = Field("", description="base address of that server's API, most often ending in /v1")
    backend_key: SecretStr = Field(SecretStr(""), description="its key; empty: none is sent")
    backend_parallel: int = Field(16, ge=1, description="requests that one worker has there at once")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, cuda:0,cuda:1 …")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    quantisation: Quantisation = Quantisation.NONE
    context_tokens: int = Field(0, ge=0, description="prompt + answer; 0: what the model's configuration allows")
    max_new_tokens: int = Field(512, ge=1)
    cache_mb: int = Field(0, ge=0, description="MiB for keys, values and features; 0: a share of what is free")
    temperature: float = Field(0.0, ge=0.0, le=2.0)
    reasoning: bool = Field(False, description="let the model think before it answers, where its template knows how")
    system_prompt: str = ""

    # What a person may send.
    picture_max_bytes: int = Field(10 * MIB, ge=1)
    picture_max_pixels: int = Field(25_000_000, ge=1)
    # 2048 x 2048: an A4 page stays readable (about 200 dpi), and it is some 5,000 tokens for a model with 28-pixel
    # patches. An area and not a side, so that a long screenshot keeps letters that can be read.
    picture_keep_pixels: int = Field(4_194_304, ge=1024, description="larger pictures are scaled down to so many")
    pdf_max_pages: int = Field(10, ge=1, description="pages of one PDF or TIFF")
    pictures_per_turn: int = Field(10, ge=1)
    question_max_chars: int = Field(16_000, ge=1)
    waiting_per_person: int = Field(20, ge=1, description="unanswered turns that one person may have")
    waiting_total: int = Field(5_000, ge=1, description="unanswered turns in all")
    parallel_per_person: int = Field(8, ge=1, description="turns of one person handed to the workers at once")

    # Queue and worker.
    worker_slots: int = Field(16, ge=1, description="turns that one worker answers at once")
    lease_s: float = Field(10.0, gt=0)
    heartbeat_s: float = Field(2.0, gt=0)
    sweep_s: float = Field(1.0, gt=0)
    redispatch_s: float = Field(10.0, gt=0, description="first wait before a ready turn is announced again")
    affinity_s: float = Field(
        0.5, ge=0, description="a follow-up is left to the worker that holds its conversation for so long; 0: never"
    )
    max_failures: int = Field(3, ge=1)
    retry_base_s: float = Field(1.0, gt=0, description="first back-off; doubles with each failure")
    turn_deadline_s: float = Field(300.0, gt=0)
    shutdown_grace_s: float = Field(10.0, ge=0, description="time to finish running turns before they are given back")
    stream_ttl_s: int = Field(3600, ge=60)
    stream_flush_s: float = Field(0.08, ge=0, description="text is collected for so long before it is sent on")

    # Web channel.
    host: str = "127.0.0.1"
    web_port: int = Field(8080, ge=0, le=65535)
    public_url: str = Field("", description="address under which browsers reach the page, if not http://host:port")
    picture_hosts: CommaSeparated = Field((), description="hosts from which the REST API may fetch image_url")
    metrics_public: bool = Field(False, description="serve /metrics without a key beyond loopback")

    # Logs.
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "console", "json"] = "auto"

    # Object storage credentials stay with fsspec's own conventions (AWS_*); nothing secret is stored here.
    redis_password: SecretStr = named("REDIS_PASSWORD", default=SecretStr(""))

    @field_validator("device")
    @classmethod
    def _is_a_device(cls, name: str) -> str:
        # Whether this machine has it is asked where torch is.
        if not _DEVICE.fullmatch(name):
            raise PydanticCustomError("device", "use auto, cpu, cuda, cuda:0 or cuda:0,cuda:1 …")
        return name

    @field_validator("eyes")
    @classmethod
    def _none_is_empty(cls, name: str) -> str:
        # A word for it, so that a process can be started without eyes where `.env` names some.
        return "" if name == NO_EYES else name

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis(cls, url: str) -> str:
        if url:
            from redis.connection import parse_url

            try:
                parse_url(url)  # type: ignore[no-untyped-call]  # redis-py has no types here
            except ValueError:
                raise PydanticCustomError(
                    "redis_url", "this is no address such as redis://:PASSWORD@localhost:6379/0"
                ) from None
        return url

    @field_validator("backend_url")
    @classmethod
    def _is_plain_address(cls, url: str) -> str:
        if not url:
            return url
        try:
            parts = urlsplit(url)
            plain = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            plain = False
        if not plain or parts.query or parts.fragment:
            raise PydanticCustomError("backend_url", "this is no address such as http://127.0.0.1:8000/v1")
        if "@" in parts.netloc:
            raise PydanticCustomError("backend_url", "a key or password belongs into GLIMT_BACKEND_KEY")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _backend_has_an_address(self) -> Self:
        if self.backend == "openai" and not self.backend_url:
            raise PydanticCustomError("backend", "GLIMT_BACKEND=openai needs the server's address in GLIMT_BACKEND_URL")
        return self

    @model_validator(mode="after")
    def _heartbeats_fit(self) -> Self:
        if self.heartbeat_s > self.lease_s / 3:
            raise PydanticCustomError(
                "heartbeat",
                "GLIMT_HEARTBEAT_S must be at most a third of GLIMT_LEASE_S: "
                "a heartbeat that comes late must not cost a worker its turns",
            )
        return self

    @property
    def sql_url(self) -> str:
        """SQLAlchemy URL; `postgres://` and `postgresql://` mean psycopg 3."""
        url = self.database_url
        if not url:
            return f"sqlite:///{quote(str(self.data_dir.absolute() / 'glimt.db'))}"
        for prefix in ("postgres://", "postgresql://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        return url

    @property
    def blob_store_url(self) -> str:
        """fsspec URL of the folder that holds the blobs."""
        return self.blobs_url or f"file://{self.data_dir.absolute() / 'blobs'}"

    @property
    def embedded_redis_socket(self) -> Path:
        """Unix socket of the embedded server. A socket path may not be longer than about 100 bytes."""
        path = self.data_dir.absolute() / "redis.sock"
        if len(str(path)) < 100:
            return path
        return Path(tempfile.gettempdir()) / f"glimt-{sha256(str(path).encode()).hexdigest()[:16]}.sock"

    @property
    def queue_url(self) -> str:
        """redis-py URL of the Redis in use, embedded or not."""
        return self.redis_url or f"unix://{quote(str(self.embedded_redis_socket))}"


def load_settings(**overrides: Any) -> Settings:
    """Read the environment and `.env` (another file or none by `_env_file`) once; `overrides` are by field.

    Raises:
        ConfigurationError: with one line for each variable that is wrong or unknown, none of which shows a value.
    """
    env_file: str | None = overrides.get("_env_file", ENV_FILE)
    lines: list[str] = []
    try:
        lines += explain_unknown(_given(env_file), Settings.model_fields)
        settings = Settings(**overrides)
    except UnicodeDecodeError:
        lines.append(f"{env_file}: this file is not UTF-8 text")
    except ValidationError as error:
        lines += [_line(e["loc"], e["msg"]) for e in error.errors(include_input=False)]
    if lines:
        raise ConfigurationError("Wrong settings:\n  " + "\n  ".join(lines))
    return settings


def _given(env_file: str | None) -> set[str]:
    """Names of the variables that have a value."""
    in_file = dotenv_values(env_file) if env_file is not None else {}
    return {name for name, value in (in_file | os.environ).items() if value}


def _line(location: tuple[int | str, ...], message: str) -> str:
    if not location:  # About several settings; the message names them.
        return message
    name = str(location[0])
    shown = variable(name, Settings.model_fields[name]) if name in Settings.model_fields else name.upper()
    return f"{shown}: {message}"
