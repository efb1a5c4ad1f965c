"""Fixtures of the store's tests."""

from pathlib import Path

import pytest

from core.media.blobs import BlobStore
from core.store.database import Store
from tests.integration.store.scene import Scene


@pytest.fixture
def scene(store: Store) -> Scene:
    """Runs the test once on SQLite and once on PostgreSQL."""
    return Scene(store)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path / 'blobs'}")
