"""Which files are loaded for a model's name, and which are refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ConfigurationError, GlimtError, ModelLoadError
from core.inference.source import DEMO, find_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def checkpoint(folder: Path, *files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in files:
        (folder / name).write_bytes(b"{}")
    return folder


def test_demo_is_the_folder_that_ships() -> None:
    source = find_model("demo", "")
    assert source.name == "demo"
    assert source.folder == DEMO
    assert 0 < source.weight_bytes < 12 * 2**20


def test_a_folder(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "mine", "config.json", "model-1.safetensors", "model-2.safetensors")
    source = find_model(str(folder), "")
    assert (source.name, source.folder, source.weight_bytes) == ("mine", folder, 4)


@pytest.mark.parametrize("revision", ["", "main", "v1.0", COMMIT[:12]])
def test_a_hub_name_needs_its_whole_commit(revision: str) -> None:
    with pytest.raises(ConfigurationError, match="GLIMT_MODEL_REVISION"):
        find_model("zai-org/GLM-4.6V-Flash", revision)


@pytest.mark.parametrize("name", ["/nowhere/at/all", "no-such-folder", "a/b/c", "../x y/z", ""])
def test_a_name_that_is_nothing(name: str) -> None:
    with pytest.raises((ConfigurationError, ModelLoadError)):
        find_model(name, COMMIT)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (["model.safetensors"], "no config.json"),
        (["config.json"], "no .safetensors"),
        (["config.json", "pytorch_model.bin"], "pickled weights .pytorch_model.bin."),
        (["config.json", "model.pt"], "pickled weights"),
    ],
)
def test_what_is_no_safe_model(tmp_path: Path, files: list[str], why: str) -> None:
    with pytest.raises(ModelLoadError, match=why):
        find_model(str(checkpoint(tmp_path / "odd", *files)), "")


def test_a_hub_that_cannot_be_reached_says_how_to_bring_the_files(tmp_path: Path) -> None:
    program = (
        "from core.inference.source import find_model\n"
        "from core.errors import ModelLoadError\n"
        f"try: find_model('some-owner/some-model', '{COMMIT}')\n"
        "except ModelLoadError as error: print(error)\n"
    )
    # The hub's client reads these once, when it is imported: hence a process of its own.
    env = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, env=env, timeout=170, text=True, capture_output=True, check=True
    )
    assert f"hf download some-owner/some-model --revision {COMMIT}" in done.stdout


def test_users_are_told_nothing_internal(tmp_path: Path) -> None:
    with pytest.raises(GlimtError) as caught:
        find_model(str(checkpoint(tmp_path / "odd", "config.json")), "")
    assert str(tmp_path) not in caught.value.user_message
