"""What the tests of an engine share."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.inference.eyes_pair import Make, Pair, make_pair


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes pairs of eyes and mind, as `make_pair` does, that end with the test."""
    made: list[Pair] = []

    def pair(*scripts: Any, **options: Any) -> Pair:
        made.append(make_pair(*scripts, **options))
        return made[-1]

    yield pair
    for one in made:
        one.engine.close()
