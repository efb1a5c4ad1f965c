"""Checkpoints and engines, made once for all tests here."""

import io
import os
import random
import sys
import urllib.request
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from core.inference.engine import TransformersEngine
from core.inference.port import Picture
from core.inference.source import DEMO
from core.process import spawn, stop
from core.settings import load_settings
from glimt.ports import free_port
from tests.integration.inference.checkpoints import save_checkpoint
from tests.processes import ROOT, until

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


@pytest.fixture(scope="session")
def transformers_serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running `transformers serve` that has the demo model in float32, under the name of its folder."""
    folder, port = tmp_path_factory.mktemp("serve"), free_port("127.0.0.1")
    address = f"http://127.0.0.1:{port}"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hub")}
    with (folder / "log").open("wb") as output:
        module = "tests.integration.inference.transformers_serve"
        process = spawn([sys.executable, "-m", module, str(DEMO), str(port)], env=env, output=output, cwd=ROOT)
    try:
        until(lambda: process.poll() is not None or _healthy(address), "the server answers")
        assert process.poll() is None, (folder / "log").read_text()
        yield address
    finally:
        stop(process, 10.0)


def _healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


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
