"""Slack's settings: six secrets from four pages, each of which is told from the others."""

import pytest

from core.errors import ConfigurationError
from core.settings import Settings, load_settings

BOT, APP, SECRET = "xoxb-1-2-geheim", "xapp-1-A1-2-geheim", "geheim00" * 4
ONE = {"slack_bot_token": BOT, "slack_app_token": APP}
MANY = {"slack_client_id": "1.2", "slack_client_secret": SECRET, "slack_token_keys": "geheim-" * 5}


def _load(**given: object) -> Settings:
    return load_settings(_env_file=None, **given)


def _wrong(**given: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        _load(**given)
    assert "geheim" not in str(caught.value)
    _head, line = str(caught.value).splitlines()
    return line.strip()


@pytest.mark.parametrize(
    ("given", "socket"),
    [
        (ONE, True),
        ({"slack_bot_token": BOT, "slack_signing_secret": SECRET}, False),
        (ONE | {"slack_signing_secret": SECRET}, True),
        (ONE | {"slack_signing_secret": SECRET, "slack_transport": "http"}, False),
        (MANY | {"slack_signing_secret": SECRET}, False),
        (MANY | ONE, True),
    ],
)
def test_what_is_there_says_how_events_come(given: dict[str, str], socket: bool) -> None:
    settings = _load(**given)

    assert settings.slack_enabled
    assert settings.slack_socket is socket


def test_without_anything_slack_is_off() -> None:
    assert not _load().slack_enabled


@pytest.mark.parametrize("given", [ONE, MANY, {"slack_app_token": APP}, {"slack_client_id": "1.2"}])
def test_it_can_be_off_whatever_is_there(given: dict[str, str]) -> None:
    assert not _load(**given, slack_transport="off").slack_enabled


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"slack_bot_token": APP}, "SLACK_BOT_TOKEN: this is an app-level token; it belongs into SLACK_APP_TOKEN. For"),
        ({"slack_app_token": BOT}, "SLACK_APP_TOKEN: this is a bot token; it belongs into SLACK_BOT_TOKEN. For"),
        ({"slack_signing_secret": APP}, "SLACK_SIGNING_SECRET: this is an app-level token; it belongs into"),
        ({"slack_client_secret": BOT}, "SLACK_CLIENT_SECRET: this is a bot token; it belongs into SLACK_BOT_TOKEN."),
        ({"slack_bot_token": "xoxp-geheim"}, "SLACK_BOT_TOKEN: this is a user token, which Glimt never needs; take"),
        ({"slack_bot_token": "xoxe.xoxb-1-geheim"}, "SLACK_BOT_TOKEN: this is a token that expires after some hours"),
        ({"slack_bot_token": "geheim"}, "SLACK_BOT_TOKEN: this is none; it begins with xoxb- and stands under OAuth"),
        ({"slack_app_token": "geheim"}, "SLACK_APP_TOKEN: this is none; it begins with xapp- and is made under Basic"),
        ({"slack_bot_token": "xoxb-1 geheim"}, "SLACK_BOT_TOKEN: there is a space in it: copy it again"),
        ({"slack_client_id": "geheim"}, "SLACK_CLIENT_ID: this is none: two numbers with a dot, under Basic"),
        ({"slack_api_url": "geheim"}, "SLACK_API_URL: this is no address such as https://slack.com/api/"),
        ({"slack_api_url": "https://u:geheim@h/"}, "SLACK_API_URL: this is no address such as"),
        ({"slack_workspaces": "#geheim"}, "GLIMT_SLACK_WORKSPACES: names do not work here; give ids of workspaces"),
        ({"slack_channels": "C012,#geheim"}, "GLIMT_SLACK_CHANNELS: names do not work here; give ids of channels"),
        ({"slack_token_keys": "geheim"}, "GLIMT_SLACK_TOKEN_KEYS: each needs 32 characters or more: openssl"),
        ({"slack_threads": "no"}, "GLIMT_SLACK_THREADS: Input should be 'all' or 'mentions'"),
    ],
)
def test_a_value_in_the_wrong_place_is_told_where_it_belongs(given: dict[str, str], says: str) -> None:
    assert _wrong(**given).startswith(says)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"slack_bot_token": BOT}, "Slack needs SLACK_APP_TOKEN (Socket Mode, no public address needed) or SLACK_SIG"),
        ({"slack_app_token": APP}, "SLACK_APP_TOKEN is set, but no workspace: SLACK_BOT_TOKEN is missing"),
        ({"slack_signing_secret": SECRET}, "SLACK_SIGNING_SECRET is set, but no workspace: SLACK_BOT_TOKEN is missing"),
        (ONE | {"slack_transport": "http"}, "GLIMT_SLACK_TRANSPORT=http needs SLACK_SIGNING_SECRET: it is 32 letters"),
        (
            {"slack_bot_token": BOT, "slack_signing_secret": SECRET, "slack_transport": "socket"},
            "GLIMT_SLACK_TRANSPORT=socket needs SLACK_APP_TOKEN: it begins with xapp-",
        ),
        ({"slack_client_id": "1.2"}, "SLACK_CLIENT_ID needs SLACK_CLIENT_SECRET, from the same page"),
        ({"slack_client_secret": SECRET}, "SLACK_CLIENT_SECRET needs SLACK_CLIENT_ID, from the same page"),
        (
            {"slack_client_id": "1.2", "slack_client_secret": SECRET, "slack_app_token": APP},
            "SLACK_CLIENT_ID needs GLIMT_SLACK_TOKEN_KEYS, which seals the tokens of workspaces that install Glimt",
        ),
    ],
)
def test_what_is_missing_is_named(given: dict[str, str], says: str) -> None:
    assert _wrong(**given).startswith(says)


def test_lists_and_addresses_are_brought_into_shape() -> None:
    keys = "a" * 32 + " , " + "b" * 40
    settings = _load(
        slack_workspaces="T012AB, E345CD",
        slack_channels="C01,G01,D01",
        slack_token_keys=keys,
        slack_api_url="http://h:1/api",
    )

    assert settings.slack_workspaces == ("T012AB", "E345CD")
    assert settings.slack_channels == ("C01", "G01", "D01")
    assert settings.slack_sealing_keys == ("a" * 32, "b" * 40)
    assert settings.slack_api_url == "http://h:1/api/"


def test_the_environment_uses_the_names_of_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", BOT)
    monkeypatch.setenv("SLACK_APP_TOKEN", APP)
    monkeypatch.setenv("GLIMT_SLACK_THREADS", "mentions")

    settings = _load()

    assert settings.slack_bot_token.get_secret_value() == BOT
    assert settings.slack_threads == "mentions"
    assert "geheim" not in repr(settings)
