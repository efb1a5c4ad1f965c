"""Fixtures of the exports."""

from pathlib import Path

import pytest

from core.store.database import Store
from tests.integration.export.told import Told


@pytest.fixture
def told(store: Store, tmp_path: Path) -> Told:
    """Runs the test once on SQLite and once on PostgreSQL."""
    return Told.begin(store, tmp_path / "data")


@pytest.fixture
def plain(sqlite_store: Store, tmp_path: Path) -> Told:
    """On SQLite alone, for what the database has no part in."""
    return Told.begin(sqlite_store, tmp_path / "data")
