"""Fixtures of the Telegram adapter's tests."""

from collections.abc import Iterator

import pytest

from tests.fakes.telegram import FakeTelegram
from tests.integration.telegram.stand import Stand, adapter_over
from tests.processes import Installation, installation


@pytest.fixture(scope="package")
def telegram_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation, shared: its tests keep to people and chats of their own."""
    with installation(tmp_path_factory.mktemp("telegram")) as made:
        yield made


@pytest.fixture(scope="package")
def telegram() -> Iterator[FakeTelegram]:
    """A Telegram with the bot, shared likewise."""
    with FakeTelegram() as made:
        yield made


@pytest.fixture(scope="package")
def stand(telegram_at: Installation, telegram: FakeTelegram) -> Iterator[Stand]:
    """The adapter, polling."""
    with adapter_over(telegram_at, telegram) as made:
        yield made


@pytest.fixture
def fresh_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of the test's own: two adapters of one installation would answer for each other."""
    with installation(tmp_path_factory.mktemp("fresh")) as made:
        yield made
