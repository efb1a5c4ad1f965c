"""Fixtures of the web server's tests."""

from collections.abc import Iterator

import pytest

from tests.integration.web.site import Site, serving
from tests.processes import Installation, installation


@pytest.fixture(scope="package")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation without any key, shared: its tests keep to turns of their own."""
    with installation(tmp_path_factory.mktemp("keyless")) as made:
        yield made


@pytest.fixture(scope="package")
def site(at: Installation) -> Iterator[Site]:
    """A server that needs no key."""
    with serving(at) as made:
        yield made


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of the test's own, for what changes it as a whole."""
    with installation(tmp_path_factory.mktemp("fresh")) as made:
        yield made
