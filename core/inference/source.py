"""Where the model comes from: its name turned into a folder of files that are safe to load."""

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from core.errors import ConfigurationError, ModelLoadError
from core.inference.hub import Hub
from core.inference.pins import COMMIT
from core.inference.presets import AUTO, PRESETS

DEMO = Path(__file__).parent / "demo"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_PICTURE_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
# What the safetensors library allows.
_LONGEST_HEADER = 100_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """`name` is what the model is called in the store and in the REST API; `folder` has config and weights."""

    name: str
    folder: Path
    weight_bytes: int


def find_model(model: str, revision: str, hub: Hub) -> Source:
    """The files of `GLIMT_MODEL`: "demo", a preset, a folder, or a hub name with the commit to take.

    Raises:
        ConfigurationError: no such preset or folder, or a hub name without its commit.
        HubUnreachable: the files are not here, and the hub does not answer.
        ModelLoadError: the files are missing, broken, pickled, or cannot be fetched.
    """
    if (source := local_model(model, revision)) is not None:
        return source
    return _checked(model, hub.fetch(hub_name(model), revision))


def find_here(model: str, revision: str, hub: Hub) -> Source | None:
    """As `find_model`, but nothing is fetched: None for a preset or a hub name that is not here."""
    if (source := local_model(model, revision)) is not None:
        return source
    folder = hub.find(hub_name(model), revision)
    return _checked(model, folder) if folder is not None else None


def hub_name(model: str) -> str:
    """What the hub calls `model`, a preset or a hub name."""
    return PRESETS[model].hub if model in PRESETS else model


def local_model(model: str, revision: str) -> Source | None:
    """As `find_model`, looking nowhere but at folders: None for a preset, "auto", and a hub name with its commit."""
    if model == "demo":
        return _checked("demo", DEMO)
    if revision and not COMMIT.fullmatch(revision):
        raise ConfigurationError("GLIMT_MODEL_REVISION must be a full commit: 40 hexadecimal digits.")
    if model in PRESETS or model == AUTO:
        return None
    folder = Path(model).expanduser()
    if folder.is_dir():
        return _checked(folder.resolve().name, folder)
    if folder.is_absolute() or not _HUB_NAME.fullmatch(model):
        near = get_close_matches(model.lower(), [*PRESETS, AUTO, "demo"], n=1)
        raise ConfigurationError(
            f"GLIMT_MODEL={model!r} is no preset (`glimt models` lists them), no folder here, no hub name "
            "(owner/model), and not 'auto' or 'demo'." + (f" Did you mean {near[0]!r}?" if near else "")
        )
    if not revision:
        raise ConfigurationError(
            f"GLIMT_MODEL={model!r} is a hub name, so GLIMT_MODEL_REVISION must be the full commit (40 hexadecimal "
            "digits) to load: names and branches can be changed by others. It is on the model's page under "
            "'Files and versions'. (If a folder was meant: there is none of that name here.)"
        )
    return None


def reads_text_only(source: Source) -> bool:
    """Whether nothing in the folder says how pictures become the model's input, as it stands beside all that see."""
    return not any((source.folder / name).is_file() for name in _PICTURE_PROCESSORS)


def _checked(name: str, folder: Path) -> Source:
    weights = list(folder.glob("*.safetensors"))
    if not (folder / "config.json").is_file():
        raise ModelLoadError(f"{folder} has no config.json: it is not a model in the transformers format.")
    if not weights:
        if pickles := [path.name for pattern in _PICKLES for path in folder.glob(pattern)]:
            raise ModelLoadError(
                f"{folder} has only pickled weights ({', '.join(sorted(pickles))}). Loading them could run any code, "
                "so Glimt does not. Use a version of the model with .safetensors files."
            )
        raise ModelLoadError(f"{folder} has no .safetensors files: the weights are missing.")
    _check_config(folder / "config.json")
    for path in weights:
        _check_weights(path)
    return Source(name, folder, sum(path.stat().st_size for path in weights))


def _check_config(path: Path) -> None:
    try:
        kind = json.loads(path.read_bytes())["model_type"]
    except (ValueError, TypeError, KeyError):
        kind = None
    if not isinstance(kind, str):
        raise ModelLoadError(f"{path} does not say what kind of model this is (model_type): it cannot be loaded.")


def _check_weights(path: Path) -> None:
    """Whether the file is as long as its header says: a length of 8 bytes, so many bytes of JSON, then the tensors."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if length <= _LONGEST_HEADER else b""
    try:
        tensors = [value for name, value in json.loads(header).items() if name != "__metadata__"]
        end = 8 + length + max((int(tensor["data_offsets"][1]) for tensor in tensors), default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        end = -1
    if end != size:
        raise ModelLoadError(f"{path} is cut off or no safetensors file: it cannot be loaded. Fetch the model again.")
