"""Faults are injected into real processes, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import Asker
from tests.processes import installation


@pytest.fixture
def asker(sql_url: str, tmp_path: Path) -> Iterator[Asker]:
    """An installation with a scripted engine and no process yet but Redis."""
    with installation(tmp_path, sql_url=sql_url) as made:
        yield Asker(made)
