"""The settings of the review console."""

import re
from typing import Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings

from core.days import zone_of
from core.errors import ConfigurationError
from core.setting_types import CommaSeparated


class ConsoleSettings(BaseSettings):
    """Where the console is, and who vouches for those who sign in."""

    console_port: int = Field(8081, ge=0, le=65535)
    console_url: str = Field("", description="address under which browsers reach the console, if not http://host:port")
    take_over_idle_s: float = Field(
        1800.0,
        ge=0,
        description="a conversation that an admin has taken over returns to the model after so long; 0: never",
    )
    oidc_issuer: str = Field("", description="address of the OpenID Connect provider; empty: none")
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    timezone: str = Field("UTC", description="whose days the console counts, such as Europe/Berlin")
    oidc_name: str = Field("your company account", description="what the button calls the provider")

    redact_regions: CommaSeparated = Field(
        ("CN", "US"), description="countries whose phone numbers an export knows when they are written without their +"
    )
    redact_names: CommaSeparated = Field((), description="further names that an export takes out, beside people's own")

    @field_validator("redact_regions")
    @classmethod
    def _are_countries(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        for region in regions:
            if not re.fullmatch("[A-Z]{2}", region):
                raise PydanticCustomError("region", "a country is two capitals such as CN or US")
        return regions

    @field_validator("console_url", "oidc_issuer")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if not url:
            return url
        try:
            parts = urlsplit(url)
            plain = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc
        except ValueError:
            plain = False
        if not plain or parts.query or parts.fragment:
            raise PydanticCustomError("address", "this is no address such as https://glimt.example.org")
        return url.rstrip("/")

    @field_validator("console_url")
    @classmethod
    def _is_a_whole_host(cls, url: str) -> str:
        if url and urlsplit(url).path:
            raise PydanticCustomError("console_url", "the console needs a host of its own, without a path")
        return url

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            zone_of(name)
        except ConfigurationError as error:
            raise PydanticCustomError("timezone", str(error)) from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone whose days are counted."""
        return zone_of(self.timezone)

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        given = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret.get_secret_value())
        if any(given) and not all(given):
            raise PydanticCustomError(
                "oidc", "GLIMT_OIDC_ISSUER, GLIMT_OIDC_CLIENT_ID and GLIMT_OIDC_CLIENT_SECRET belong together"
            )
        return self
