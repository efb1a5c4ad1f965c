"""`glimt doctor telegram`: what is wrong with token, transport, groups and business accounts, and what to do."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bots.chat.checks import Check
from bots.telegram.client import open_bot
from bots.telegram.doctor import TelegramDoctor
from bots.telegram.menu import set_menu
from bots.telegram.updates import ALLOWED_UPDATES
from core.conversation.inbound import InboundQuestion
from core.conversation.intake import Intake
from core.media.blobs import BlobStore
from core.settings import Settings, load_settings
from core.store.database import Store
from core.values import Platform, utc_now
from tests.fakes.telegram import FakeTelegram
from tests.integration.glimt.command import glimt


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram() as made:
        yield made


def settings_of(fake: FakeTelegram, sql_url: str, **changes: object) -> Settings:
    given = {
        "telegram_bot_token": fake.bot_token,
        "telegram_api_url": fake.url,
        "database_url": sql_url,
        # Nothing listens there.
        "redis_url": "redis://127.0.0.1:1/0",
    }
    return load_settings(_env_file=None, **{**given, **changes})


# Nothing listens there either.
HOOK = {"telegram_transport": "webhook", "telegram_webhook_url": "https://127.0.0.1/telegram/webhook"}


def examined(settings: Settings) -> dict[str, Check]:
    async def all_of_them() -> dict[str, Check]:
        return {check.what.removeprefix("telegram "): check async for check in TelegramDoctor(settings).checks()}

    return asyncio.run(all_of_them())


def offer_commands(settings: Settings) -> None:
    async def offer() -> None:
        async with open_bot(settings) as bot:
            await bot.initialize()
            await set_menu(bot)

    asyncio.run(offer())


def test_a_sound_installation(fake: FakeTelegram, sqlite_store: Store, sqlite_url: str, tmp_path: Path) -> None:
    settings = settings_of(fake, sqlite_url)
    intake = Intake(sqlite_store, BlobStore(f"file://{tmp_path}/blobs"), settings)
    intake.accept(InboundQuestion(Platform.TELEGRAM, str(fake.bot.id), "1", "7:1:1", "?", place="1"))
    offer_commands(settings)

    checks = examined(settings)

    assert [check for check in checks.values() if not check.good or check.worry] == []
    assert list(checks) == ["bot token", "polling", "groups", "business", "commands", "files", "updates"]
    assert checks["bot token"].says == f"@glimt_bot ({fake.bot.id})"
    assert "/setprivacy" in checks["groups"].says
    assert "remove the bot from each group and add it again" in checks["groups"].says
    assert fake.bot_token not in str(checks)


@pytest.mark.parametrize(
    ("changes", "what", "says"),
    [
        ({"telegram_bot_token": "123456:" + "x" * 35}, "bot token", "@BotFather shows it again: /mybots"),
        ({"telegram_api_url": "http://127.0.0.1:1"}, "bot token", "Is TELEGRAM_API_URL right?"),
        ({"telegram_files_dir": "/nowhere/at/all"}, "files", "/nowhere/at/all is no folder here"),
        ({"database_url": "sqlite:////nowhere/at/all.db"}, "updates", "unable to open database file"),
    ],
)
def test_each_wrong_setting_is_found(
    fake: FakeTelegram, sqlite_url: str, changes: dict[str, object], what: str, says: str
) -> None:
    checks = examined(settings_of(fake, sqlite_url, **changes))

    assert not checks[what].good
    assert says in checks[what].says
    assert "x" * 35 not in str(checks)


def test_a_webhook_where_we_poll_is_explained(fake: FakeTelegram, sqlite_url: str) -> None:
    fake.webhook.url = "https://old.example.org/hook"

    polling = examined(settings_of(fake, sqlite_url))["polling"]

    assert polling.worry
    assert polling.says.startswith("A webhook is set, at old.example.org, so nobody can poll.")


@pytest.mark.parametrize(
    ("url", "good", "says"),
    [
        ("", True, "None is set"),
        ("https://elsewhere.example.org/", False, "It is set to elsewhere.example.org, not to https://127.0.0.1/"),
        (HOOK["telegram_webhook_url"], True, "Telegram posts to https://127.0.0.1/telegram/webhook"),
    ],
)
def test_a_webhook_must_be_ours(fake: FakeTelegram, sqlite_url: str, url: str, good: bool, says: str) -> None:
    fake.webhook.url = url
    fake.updates.allowed = set(ALLOWED_UPDATES)

    checks = examined(settings_of(fake, sqlite_url, **HOOK))

    assert checks["webhook"].good is good
    assert checks["webhook"].says.startswith(says)
    assert checks["address"].worry


def test_a_business_account_that_does_not_let_us_reply(
    fake: FakeTelegram, sqlite_store: Store, sqlite_url: str
) -> None:
    with sqlite_store.write() as repositories:
        for number, can_reply in (("a", True), ("b", False)):
            repositories.telegram.set_connection(
                number,
                bot_id=str(fake.bot.id),
                owner_id=1,
                owner_chat_id=1,
                owner_locale="en",
                can_reply=can_reply,
                enabled=True,
                now=utc_now(),
            )

    business = examined(settings_of(fake, sqlite_url))["business"]

    assert business.worry
    assert business.says.startswith("1 of 2 accounts")


def test_a_group_that_we_are_not_in(fake: FakeTelegram, sqlite_url: str) -> None:
    ann = fake.user("ann")
    inside, outside = fake.group("In", ann), fake.group("Out", ann, bot=False)

    chats = examined(settings_of(fake, sqlite_url, telegram_chats=(str(inside.id), str(outside.id))))["chats"]

    assert chats.worry
    assert str(outside.id) in chats.says
    assert str(inside.id) not in chats.says


def test_without_a_token_it_says_how_to_begin() -> None:
    checks = examined(load_settings(_env_file=None))

    assert not checks["telegram"].good
    assert "write /newbot to @BotFather" in checks["telegram"].says


def test_the_command_line_makes_the_checks(fake: FakeTelegram, tmp_path: Path) -> None:
    result = glimt(tmp_path, "doctor", "telegram", TELEGRAM_BOT_TOKEN=fake.bot_token, TELEGRAM_API_URL=fake.url)

    assert f"ok   telegram bot token: @glimt_bot ({fake.bot.id})" in result.stdout
