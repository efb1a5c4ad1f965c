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


@pytest.fixture(scope="package")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """The adapter of a server that knows rich messages, and so drafts that can be stopped."""
    with installation(tmp_path_factory.mktemp("newer")) as at, FakeTelegram() as telegram:
        telegram.know_rich()
        with adapter_over(at, telegram) as made:
            yield made


@pytest.fixture
def modern(newer: Stand) -> Iterator[Stand]:
    """The same, in which nothing goes wrong any more after the test."""
    yield newer
    newer.telegram.faults.clear()
    newer.settled()


@pytest.fixture
def older(stand: Stand) -> Iterator[Stand]:
    """An adapter of a server that knows none of these; likewise."""
    yield stand
    stand.telegram.faults.clear()
    stand.settled()
