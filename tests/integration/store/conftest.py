"""Fixtures of the store's tests."""

import pytest

from core.store.database import Store
from tests.integration.store.scene import Scene


@pytest.fixture
def scene(store: Store) -> Scene:
    """Runs the test once on SQLite and once on PostgreSQL."""
    return Scene(store)
