"""The fakes and the real clients, pointed at them: of Slack's SDK, and python-telegram-bot's."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import httpx
import pytest
from slack_sdk import WebClient
from telegram import Bot
from telegram.request import HTTPXRequest

from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import Chat, FakeTelegram, User

T = TypeVar("T")
Do = Callable[[Coroutine[Any, Any, T]], T]


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """It fails a test that leaves a violation behind."""
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def client(slack: FakeSlack) -> WebClient:
    """Of the bot, without retries: what Slack says is what the test sees."""
    return WebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    """An event loop for the parts of the SDK that need one."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def browser() -> Iterator[httpx.Client]:
    """What follows links. One for all tests, since each client would read the machine's certificates anew."""
    with httpx.Client(verify=False) as one:
        yield one


@pytest.fixture
def telegram() -> Iterator[FakeTelegram]:
    """It fails a test that leaves a violation behind."""
    with FakeTelegram() as fake:
        yield fake


def request(**how: Any) -> HTTPXRequest:
    """A client that does not read the machine's certificates."""
    return HTTPXRequest(httpx_kwargs={"verify": False}, **how)


def telegram_bot(telegram: FakeTelegram, **how: Any) -> Bot:
    """python-telegram-bot's own, without retries: what Telegram says is what the test sees."""
    return Bot(
        telegram.bot_token,
        base_url=telegram.base_url,
        base_file_url=telegram.base_file_url,
        request=request(),
        get_updates_request=request(),
        **how,
    )


@pytest.fixture
def bot(telegram: FakeTelegram, loop: asyncio.Runner) -> Iterator[Bot]:
    """The bot of the fake."""
    made = telegram_bot(telegram)
    loop.run(made.initialize())
    yield made
    loop.run(made.shutdown())


@pytest.fixture
def do(loop: asyncio.Runner) -> Do[Any]:
    """Runs one call of the bot's."""
    return loop.run


@pytest.fixture
def alice(telegram: FakeTelegram) -> User:
    """Somebody who has started the bot."""
    alice = telegram.user("alice")
    telegram.start(alice)
    return alice


@pytest.fixture
def chat(telegram: FakeTelegram, alice: User) -> Chat:
    """Alice's private chat."""
    return telegram.private(alice)
