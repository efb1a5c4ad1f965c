"""One console for all tests here; what they add is their own."""

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.console.desk import Desk, open_desk
from tests.integration.console.talk import Talk
from tests.processes import Installation, installation


@pytest.fixture(scope="package")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation without processes."""
    with installation(tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture(scope="package")
def desk(at: Installation) -> Iterator[Desk]:
    """Its console."""
    with open_desk(at) as opened:
        yield opened


@pytest.fixture
def talk(desk: Desk) -> Talk:
    return Talk.begin(desk)


@pytest.fixture(scope="module")
def owner(desk: Desk) -> Iterator[httpx.Client]:
    browser = desk.signed_in()
    yield browser
    browser.close()
