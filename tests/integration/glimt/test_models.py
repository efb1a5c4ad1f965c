"""`glimt models`: what it lists, what it fetches, and what it says where it cannot."""

import json
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.inference.hub import Hub
from core.inference.machine import Fit
from core.inference.presets import PRESETS
from core.settings import Settings, load_settings
from glimt.models import fetch_model, list_models
from tests.fakes.hub import fake_hub
from tests.integration.glimt.command import glimt
from tests.integration.inference.checkpoints import save_checkpoint

COMMIT = "0123456789" * 4


def settings(folder: Path, **changes: object) -> Settings:
    return load_settings(_env_file=None, data_dir=folder, device="cpu", **changes)


def listed(settings: Settings, *, as_json: bool = False) -> str:
    lines: list[str] = []
    list_models(settings, as_json=as_json, say=lines.append)
    return "\n".join(lines)


def test_every_preset_has_a_line(tmp_path: Path) -> None:
    here = settings(tmp_path)
    Hub.of(here).pins.set(PRESETS["glm-ocr"].hub, COMMIT)

    told = listed(here)

    for preset in PRESETS.values():
        (line,) = [line for line in told.splitlines() if line.split(" ")[0].rstrip("*") == preset.name]
        assert preset.licence in line
        assert preset.good_for in line
        assert line.startswith(f"{preset.name}*") == (preset.name == "glm-ocr")
    assert "GLIMT_MODEL=auto" in told.splitlines()[-1]


def test_programs_get_the_same(tmp_path: Path) -> None:
    told = json.loads(listed(settings(tmp_path), as_json=True))

    assert [row["name"] for row in told["models"]] == list(PRESETS)
    assert told["auto"] in {*PRESETS, None}
    assert told["machine"]["cores"] >= 1
    for row in told["models"]:
        assert row["fits"] in list(Fit)
        assert row["need_gib"]["none"] == round(
            PRESETS[row["name"]].need_bytes(settings(tmp_path).quantisation) / 2**30, 1
        )


def test_without_a_worker_it_lists_what_there_is(tmp_path: Path) -> None:
    told = glimt(tmp_path, "models", without="torch transformers")

    assert told.returncode == 0, told.stderr
    assert "glm-4.6v-flash" in told.stdout
    assert "This installation has no worker" in told.stdout


def test_fetching_ahead_and_what_is_pinned_afterwards(tmp_path: Path) -> None:
    hub_name = PRESETS["smolvlm-256m"].hub
    folder = save_checkpoint("smolvlm", tmp_path / "smolvlm")
    with fake_hub() as hub:
        repository = hub.add(hub_name, {path.name: path.read_bytes() for path in folder.iterdir()})
        network = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf")}

        fetched = glimt(tmp_path, "models", "fetch", "smolvlm-256m", **network)
        hub.down = True
        asked = glimt(tmp_path, "models", "fetch", "smolvlm-256m", **network)
        assert hub.unexpected == []

    assert fetched.returncode == asked.returncode == 0, fetched.stderr + asked.stderr
    line = fetched.stdout.splitlines()[-1]
    assert line.startswith(f"smolvlm-256m at {repository.main}, ")
    assert str(tmp_path / "hf") in line
    assert asked.stdout.splitlines()[-1] == line


@pytest.mark.parametrize(
    ("name", "more", "says"),
    [
        ("smolvlm", {}, "Did you mean 'smolvlm-"),
        ("owner/model", {}, "GLIMT_MODEL_REVISION must be the full commit"),
        ("smolvlm-256m", {"revision": "main"}, "--revision takes a full commit"),
        ("smolvlm-256m", {"revision": COMMIT, "update": True}, "give one of them"),
    ],
)
def test_what_cannot_be_fetched(tmp_path: Path, name: str, more: dict[str, object], says: str) -> None:
    given = {"revision": "", "update": False} | more
    with pytest.raises(ConfigurationError, match=says):
        fetch_model(settings(tmp_path), name, say=print, **given)  # type: ignore[arg-type]


def test_a_folder_needs_no_fetching(tmp_path: Path) -> None:
    lines: list[str] = []
    fetch_model(settings(tmp_path), "demo", revision="", update=False, say=lines.append)
    assert lines[0].startswith("demo is a folder here already: ")
