"""Which files are loaded for a model's name, and which are refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ConfigurationError, GlimtError, ModelLoadError
from core.inference.hub import Hub
from core.inference.pins import Pins
from core.inference.presets import PRESETS
from core.inference.source import DEMO, Source, find_model, local_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def find(model: str, revision: str = "") -> Source:
    """A model that no hub has to be asked for."""
    return find_model(model, revision, Hub(Pins(Path("/nowhere"))))


def weights(header: object, data: int = 0) -> bytes:
    """A safetensors file with this header and `data` bytes of tensors."""
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(data)


TENSOR = {"t": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}
WHOLE = weights({"__metadata__": {"format": "pt"}} | TENSOR, data=4)
SOUND = {".json": b'{"model_type": "glm4v"}', ".safetensors": WHOLE}


def checkpoint(folder: Path, *files: str) -> Path:
    """A folder with these files, each of which is sound."""
    folder.mkdir(exist_ok=True)
    for name in files:
        (folder / name).write_bytes(SOUND.get(Path(name).suffix, b""))
    return folder


def test_demo_is_the_folder_that_ships() -> None:
    source = find("demo")
    assert source.name == "demo"
    assert source.folder == DEMO
    assert 0 < source.weight_bytes < 24e6


def test_a_folder(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "mine", "config.json", "model-1.safetensors", "model-2.safetensors")
    source = find(str(folder))
    assert (source.name, source.folder, source.weight_bytes) == ("mine", folder, 2 * len(WHOLE))


@pytest.mark.parametrize("revision", ["", "main", "v1.0", COMMIT[:12]])
def test_a_hub_name_needs_its_whole_commit(revision: str) -> None:
    with pytest.raises(ConfigurationError, match="GLIMT_MODEL_REVISION"):
        find("zai-org/GLM-4.6V-Flash", revision)


def test_a_preset_that_is_misspelt() -> None:
    with pytest.raises(ConfigurationError, match=r"Did you mean 'glm-4.6v-flash'\?"):
        find("GLM-4.6V-Flas")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_left_to_the_hub_and_needs_no_commit(name: str) -> None:
    assert local_model(name, "") is None
    assert local_model(name, COMMIT) is None
    with pytest.raises(ConfigurationError, match="40 hexadecimal digits"):
        local_model(name, "main")


@pytest.mark.parametrize("name", ["/nowhere/at/all", "no-such-folder", "a/b/c", "../x y/z", ""])
def test_a_name_that_is_nothing(name: str) -> None:
    with pytest.raises((ConfigurationError, ModelLoadError)):
        find(name, COMMIT)


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
        find(str(checkpoint(tmp_path / "odd", *files)))


@pytest.mark.parametrize("config", [b"{}", b"", b"[]", b'{"model_type": 1}', b"\xff\xfe"])
def test_a_configuration_that_names_no_kind_of_model(tmp_path: Path, config: bytes) -> None:
    folder = checkpoint(tmp_path / "odd", "config.json", "model.safetensors")
    (folder / "config.json").write_bytes(config)
    with pytest.raises(ModelLoadError, match=r"config\.json does not say"):
        find(str(folder))


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"{}",
        WHOLE[:-1],
        WHOLE + b"x",
        WHOLE[:20],
        b"\xff" * 64,
        weights([]),
        weights({"t": {}}),
        weights({"t": 1}),
    ],
)
def test_weights_that_are_cut_off_or_something_else(tmp_path: Path, file: bytes) -> None:
    folder = checkpoint(tmp_path / "odd", "config.json", "model-1.safetensors", "model-2.safetensors")
    (folder / "model-2.safetensors").write_bytes(file)
    with pytest.raises(ModelLoadError, match=r"model-2\.safetensors is cut off or no safetensors"):
        find(str(folder))


def test_a_hub_name_is_left_to_the_hub_and_nothing_fetched() -> None:
    assert local_model("some-owner/some-model", COMMIT) is None


def test_a_hub_that_cannot_be_reached_says_how_to_bring_the_files(tmp_path: Path) -> None:
    program = (
        "from core.inference.source import find_model\n"
        "from core.inference.hub import Hub\n"
        "from core.errors import HubUnreachable\n"
        "from core.settings import load_settings\n"
        f"try: find_model('some-owner/some-model', '{COMMIT}', Hub.of(load_settings()))\n"
        "except HubUnreachable as error: print(error)\n"
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
        find(str(checkpoint(tmp_path / "odd", "config.json")))
    assert str(tmp_path) not in caught.value.user_message
