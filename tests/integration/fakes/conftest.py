"""The fake and the real clients of Slack's SDK, pointed at it."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from slack_sdk import WebClient

from tests.fakes.slack import FakeSlack


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
