"""Checkpoints and engines, made once for all tests here."""

import io
import random
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from core.inference.engine import TransformersEngine
from core.inference.port import Picture
from core.settings import load_settings
from tests.integration.inference.checkpoints import save_checkpoint

CheckpointOf = Callable[[str], Path]
EngineOf = Callable[[str], TransformersEngine]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> CheckpointOf:
    """Gives the folder of a family's tiny checkpoint."""
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            made[family] = save_checkpoint(family, tmp_path_factory.mktemp("checkpoints") / family)
        return made[family]

    return folder


@pytest.fixture(scope="session")
def engine_of(checkpoint: CheckpointOf) -> Iterator[EngineOf]:
    """Gives a running engine with a family's tiny checkpoint."""
    running: dict[str, TransformersEngine] = {}

    def engine(family: str) -> TransformersEngine:
        if family not in running:
            settings = load_settings(_env_file=None, model=str(checkpoint(family)), device="cpu", dtype="float32")
            running[family] = TransformersEngine.load(settings)
        return running[family]

    yield engine
    for engine_ in running.values():
        engine_.close()


def noise(width: int, height: int, seed: int = 0) -> Picture:
    """A picture of random pixels."""
    pixels = random.Random(seed).randbytes(width * height * 3)
    return _picture(Image.frombytes("RGB", (width, height), pixels))


def black(width: int, height: int) -> Picture:
    """A picture of nothing."""
    return _picture(Image.new("RGB", (width, height)))


def _picture(image: Image.Image) -> Picture:
    file = io.BytesIO()
    image.save(file, "PNG")
    return Picture(sha256(file.getvalue()).hexdigest(), file.getvalue(), image.width, image.height)
