"""Telegram's settings: what is wrong is said before anything starts, and no secret is shown by it."""

import pytest

from core.errors import ConfigurationError
from core.settings import Settings, load_settings

TOKEN = "123456:geheim_" + "A" * 30
HOOK = {"telegram_bot_token": TOKEN, "telegram_transport": "webhook"}


def _load(**given: object) -> Settings:
    return load_settings(_env_file=None, **given)


def _wrong(**given: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        _load(**given)
    assert "geheim" not in str(caught.value)
    _head, line = str(caught.value).splitlines()
    return line.strip()


def test_a_token_alone_is_enough() -> None:
    settings = _load(telegram_bot_token=TOKEN)

    assert settings.telegram_enabled
    assert settings.telegram_bot_id == "123456"
    assert settings.telegram_transport == "polling"


@pytest.mark.parametrize("given", [{}, {"telegram_bot_token": TOKEN, "telegram_transport": "off"}])
def test_it_is_off_without_one_or_when_told_so(given: dict[str, str]) -> None:
    assert not _load(**given).telegram_enabled


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (HOOK | {"public_url": "https://glimt.example.org/"}, "https://glimt.example.org/telegram/webhook"),
        (HOOK | {"telegram_webhook_url": "https://t.example.org:8443/x"}, "https://t.example.org:8443/x"),
        (
            HOOK | {"public_url": "https://a.example.org", "telegram_webhook_url": "https://b.example.org/"},
            "https://b.example.org/",
        ),
    ],
)
def test_where_telegram_posts_to(given: dict[str, str], address: str) -> None:
    assert _load(**given).telegram_webhook == address


def test_the_secret_is_made_of_the_token_and_does_not_show_it() -> None:
    one, other = _load(telegram_bot_token=TOKEN), _load(telegram_bot_token=TOKEN[:-1] + "B")

    assert len(one.telegram_secret) == 64
    assert one.telegram_secret == _load(telegram_bot_token=TOKEN).telegram_secret
    assert one.telegram_secret != other.telegram_secret
    assert "geheim" not in one.telegram_secret
    assert _load(telegram_bot_token=TOKEN, telegram_webhook_secret="s3cr3t-of_mine" * 3).telegram_secret.startswith(
        "s3"
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"telegram_bot_token": "geheim"}, "TELEGRAM_BOT_TOKEN: this is none; @BotFather shows it after /newbot"),
        ({"telegram_bot_token": f"{TOKEN} "}, "TELEGRAM_BOT_TOKEN: there is a space in it: copy it again"),
        ({"telegram_api_url": "ftp://x"}, "TELEGRAM_API_URL: this is no address such as http://127.0.0.1:8081"),
        ({"telegram_api_url": "http://a:b@host"}, "TELEGRAM_API_URL: this is no address"),
        ({"telegram_api_url": "http://host/{token}"}, "TELEGRAM_API_URL: this is no address"),
        ({"telegram_api_url": f"http://host/bot{TOKEN}"}, "TELEGRAM_API_URL: only the server's address, without /bot"),
        ({"telegram_webhook_secret": "geheim"}, "GLIMT_TELEGRAM_WEBHOOK_SECRET: it needs 24 to 256 letters"),
        ({"telegram_webhook_secret": "a" * 64}, "GLIMT_TELEGRAM_WEBHOOK_SECRET: it needs"),
        ({"telegram_webhook_secret": "geheim!" * 9}, "GLIMT_TELEGRAM_WEBHOOK_SECRET: it needs"),
        ({"telegram_webhook_url": "http://host/x"}, "GLIMT_TELEGRAM_WEBHOOK_URL: this is no address"),
        (
            {"telegram_webhook_url": "https://host:9000/x"},
            "GLIMT_TELEGRAM_WEBHOOK_URL: Telegram posts to the ports 443",
        ),
        ({"telegram_users": "@ann"}, "GLIMT_TELEGRAM_USERS: names do not work here; give numbers"),
        ({"telegram_chats": "Flat"}, "GLIMT_TELEGRAM_CHATS: names do not work here; give numbers such as -100"),
        ({"telegram_files_dir": "/srv"}, "GLIMT_TELEGRAM_FILES_DIR is the folder of a Bot API server of your own"),
        (HOOK, "GLIMT_TELEGRAM_TRANSPORT=webhook needs the https address at which Telegram reaches"),
        (HOOK | {"public_url": "http://glimt.example.org"}, "GLIMT_TELEGRAM_TRANSPORT=webhook needs the https address"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, str], says: str) -> None:
    assert _wrong(**given).startswith(says)
