"""Fixtures of the Slack adapter's tests."""

from collections.abc import Iterator

import pytest

from bots.slack.manifest import BOT_SCOPES
from tests.fakes.slack import FakeSlack
from tests.integration.slack.office import Office, adapter_over
from tests.processes import Installation, installation


@pytest.fixture(scope="package")
def slack_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation, shared: its tests keep to people and channels of their own."""
    with installation(tmp_path_factory.mktemp("slack")) as made:
        yield made


@pytest.fixture(scope="package")
def workspace() -> Iterator[FakeSlack]:
    """A workspace with the app, shared likewise."""
    # With the scopes that our manifest asks for, and no more.
    with FakeSlack(scopes=BOT_SCOPES) as slack:
        yield slack


@pytest.fixture(scope="package")
def office(slack_at: Installation, workspace: FakeSlack) -> Iterator[Office]:
    """The adapter over Socket Mode."""
    with adapter_over(slack_at, workspace) as made:
        yield made


@pytest.fixture
def fresh_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of the test's own: two adapters of one installation would answer for each other."""
    with installation(tmp_path_factory.mktemp("fresh")) as made:
        yield made


@pytest.fixture
def quiet(office: Office) -> Iterator[Office]:
    """The office, in which nothing goes wrong any more after the test."""
    office.settled()
    yield office
    office.slack.faults.clear()
