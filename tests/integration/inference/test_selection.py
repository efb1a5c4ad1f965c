"""`auto` and presets all the way to the files, from a hub that is there, slow to come, or away."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.errors import ConfigurationError, HubUnreachable, ModelLoadError
from core.inference.hub import Hub
from core.inference.machine import Machine
from core.inference.pins import Pins
from core.inference.presets import GIB, PRESETS
from core.inference.selection import best_of, select_model
from core.inference.source import find_here, find_model
from core.settings import load_settings
from core.values import Quantisation
from tests.fakes.hub import FakeHub, fake_hub
from tests.integration.inference.conftest import CheckpointOf

NONE = Quantisation.NONE
TWO_CORES = Machine((), 2, 8 * GIB, 16 * GIB)
SMALL, TINY = PRESETS["smolvlm-500m"], PRESETS["smolvlm-256m"]


@pytest.fixture(scope="module")
def files(checkpoint: CheckpointOf) -> dict[str, bytes]:
    """A tiny checkpoint, as a hub would have it."""
    return {path.name: path.read_bytes() for path in checkpoint("smolvlm").iterdir()}


@pytest.fixture
def server(files: dict[str, bytes]) -> Iterator[FakeHub]:
    with fake_hub() as running:
        running.add(SMALL.hub, files)
        running.add(TINY.hub, files)
        yield running
    assert running.unexpected == []


@pytest.fixture
def hub(server: FakeHub, tmp_path: Path) -> Hub:
    return Hub(Pins(tmp_path / "pins"), endpoint=server.url, cache=tmp_path / "cache")


def test_a_preset_is_fetched_pinned_and_called_by_its_name(hub: Hub, server: FakeHub) -> None:
    assert find_here(TINY.name, "", hub) is None
    source = find_model(TINY.name, "", hub)
    assert source.name == "smolvlm-256m"
    assert json.loads((source.folder / "config.json").read_text())["model_type"] == "smolvlm"
    assert hub.pins.get(TINY.hub) == server.repositories[TINY.hub].main
    assert find_here(TINY.name, "", hub) == source


def test_auto_takes_the_best_that_fits_and_says_why(hub: Hub) -> None:
    with capture_logs() as logs:
        source = best_of(TWO_CORES, NONE, hub)
    assert source.name == SMALL.name
    (line,) = [line for line in logs if line["event"] == "model_chosen"]
    assert line["model"] == SMALL.name
    assert "2 cores" in line["why"]


def test_auto_without_the_hub_takes_what_is_here_and_says_so(hub: Hub, server: FakeHub) -> None:
    find_model(TINY.name, "", hub)
    server.down = True
    with capture_logs() as logs:
        source = best_of(TWO_CORES, NONE, hub)
    assert source.name == TINY.name
    (line,) = [line for line in logs if line["event"] == "model_chosen"]
    assert line["log_level"] == "warning"
    assert f"but {SMALL.name} is not here and the hub cannot be reached" in line["why"]


def test_auto_without_the_hub_and_without_a_model_names_what_would_fit(hub: Hub, server: FakeHub) -> None:
    server.down = True
    with pytest.raises(HubUnreachable) as caught:
        best_of(TWO_CORES, NONE, hub)
    said = str(caught.value)
    assert f"{SMALL.name} ({SMALL.hub}, 0.9 GiB to fetch)" in said
    assert f"{TINY.name} ({TINY.hub}" in said
    assert f"hf download {SMALL.hub} --local-dir FOLDER" in said
    assert "glm-4.6v-flash (" not in said


def test_auto_does_not_take_another_model_because_the_hub_refused_one(hub: Hub, server: FakeHub) -> None:
    find_model(TINY.name, "", hub)
    server.repositories[SMALL.hub].closed = "GatedRepo"
    with pytest.raises(ModelLoadError, match="accepted its terms"):
        best_of(TWO_CORES, NONE, hub)


def test_auto_where_nothing_fits(hub: Hub, server: FakeHub) -> None:
    with pytest.raises(ConfigurationError, match=r"no preset fits: this machine has .* smolvlm-256m needs 1\.5 GiB"):
        best_of(Machine((), 2, GIB // 2, GIB), NONE, hub)
    assert server.asked == []


def test_auto_has_no_revision_of_its_own(hub: Hub) -> None:
    with pytest.raises(ConfigurationError, match="takes no GLIMT_MODEL_REVISION"):
        select_model(load_settings(_env_file=None, model="auto", model_revision="0" * 40), hub)
