"""Each test of intake runs on both databases."""

import pytest

from core.store.database import Store
from tests.integration.conversation.asked import Desk


@pytest.fixture
def desk(store: Store) -> Desk:
    """An intake with the limits as they come."""
    return Desk(store)
