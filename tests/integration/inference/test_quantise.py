"""Quantised weights: smaller, still answering, the vision tower and the head as they were; and what is refused."""

import importlib
import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from core.errors import ConfigurationError, ModelLoadError
from core.inference.create import check_model, create_engine
from core.inference.engine import TransformersEngine
from core.inference.libraries import LIBRARIES
from core.inference.loader import LoadedModel, load_model
from core.inference.quantise import weight_bytes, without_fetched_kernels
from core.settings import load_settings
from core.values import FinishReason, Quantisation
from tests.integration.inference.checkpoints import save_checkpoint
from tests.integration.inference.conftest import CheckpointOf, noise
from tests.unit.inference.asking import asked, collect, end_of, said

KINDS = [kind for kind in Quantisation if kind is not Quantisation.NONE]
# One of each way in which a language model stands inside a model.
FAMILIES = ["glm4v", "smolvlm", "llava"]


@pytest.fixture(scope="module")
def even(tmp_path_factory: pytest.TempPathFactory) -> CheckpointOf:
    """As `checkpoint`, but with rows that NF4 can take."""
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            made[family] = save_checkpoint(family, tmp_path_factory.mktemp("even") / family, intermediate_size=128)
        return made[family]

    return folder


def loaded(folder: Path, quantisation: Quantisation, **settings: object) -> LoadedModel:
    given = {"model": str(folder), "device": "cpu", "dtype": "float32", **settings}
    return load_model(load_settings(_env_file=None, quantisation=quantisation, **given))


def linear(model: nn.Module) -> dict[str, nn.Linear]:
    return {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}


def is_plain(layer: nn.Linear) -> bool:
    return type(layer) is nn.Linear and type(layer.weight.data) is torch.Tensor and layer.weight.is_floating_point()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_language_layers_shrink_and_nothing_else_changes(
    even: CheckpointOf, family: str, kind: Quantisation
) -> None:
    whole = loaded(even(family), Quantisation.NONE).model
    small = loaded(even(family), kind).model
    inside = {name for name, module in linear(small).items() if module in set(small.get_decoder().modules())}

    assert inside
    assert {name for name, layer in linear(small).items() if not is_plain(layer)} == inside
    assert not {name for name in inside if "vis" in name or name.endswith("lm_head")}
    saved = sum(4 * layer.weight.numel() for name, layer in linear(whole).items() if name in inside)
    expected = saved * (1 / 4 if kind is not Quantisation.NF4 else 1 / 8)
    left = weight_bytes(small) - (weight_bytes(whole) - saved)
    # Besides the numbers there are scales, which weigh more in rows as short as these.
    assert expected < left < 1.35 * expected


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_about_pictures_much_as_before(even: CheckpointOf, kind: Quantisation) -> None:
    folder = even("glm4v")
    ids = torch.arange(20, 60)[None]
    with torch.inference_mode():
        whole = loaded(folder, Quantisation.NONE).model(input_ids=ids).logits
        small = loaded(folder, kind).model(input_ids=ids).logits
    near = torch.cosine_similarity(whole.flatten(), small.flatten(), 0)
    assert near > (0.8 if kind is Quantisation.NF4 else 0.99)

    engine = TransformersEngine.load(
        load_settings(_env_file=None, model=str(folder), device="cpu", dtype="float32", quantisation=kind)
    )
    try:
        events = collect(engine, asked("What is in this picture?", pictures=(noise(60, 60),)))
    finally:
        engine.close()
    assert end_of(events).reason in (FinishReason.STOP, FinishReason.LENGTH)
    assert end_of(events).completion_tokens > 0
    assert said(events)


@pytest.mark.parametrize("kind", KINDS)
def test_it_computes_in_bfloat16_too(even: CheckpointOf, kind: Quantisation) -> None:
    model = loaded(even("glm4v"), kind, dtype="bfloat16").model
    with torch.inference_mode():
        logits = model(input_ids=torch.arange(20, 30)[None]).logits
    assert logits.dtype == torch.bfloat16
    assert bool(logits.isfinite().all())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", ["glm4v_moe", "glm4_moe_lite"])
def test_experts_are_not_quantised_in_silence(checkpoint: CheckpointOf, family: str, kind: Quantisation) -> None:
    with pytest.raises(ConfigurationError, match=r"mixture of experts.*only .*%.*GLIMT_QUANTISATION=none"):
        loaded(checkpoint(family), kind)


def test_a_preset_of_experts_is_refused_before_it_is_fetched(tmp_path: Path) -> None:
    chosen = load_settings(_env_file=None, model="glm-4.7-flash", quantisation="int8", data_dir=tmp_path)
    for check in (check_model, create_engine):
        with pytest.raises(ConfigurationError, match=r"glm-4.7-flash is a mixture of experts.*GLIMT_QUANTISATION=none"):
            check(chosen)


def test_no_kernels_are_fetched_by_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kernels.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with without_fetched_kernels(), pytest.raises(ImportError):
        importlib.import_module("kernels")
    assert importlib.import_module("kernels").__file__ == str(tmp_path / "kernels.py")
    with without_fetched_kernels(), pytest.raises(ImportError):
        importlib.import_module("kernels")
    assert sys.modules.pop("kernels").__file__ == str(tmp_path / "kernels.py")


def test_what_is_quantised_already_is_not_quantised_again(checkpoint: CheckpointOf, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint("glm4v"), tmp_path / "quantised")
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelLoadError, match=r"quantised already\. Set GLIMT_QUANTISATION=none"):
        loaded(folder, Quantisation.INT8)


def test_rows_that_nf4_cannot_take_are_named(checkpoint: CheckpointOf) -> None:
    with pytest.raises(ConfigurationError, match=r"blocks of 64, and .*layers\.0\.mlp\.down_proj .*rows of 96"):
        loaded(checkpoint("glm4v"), Quantisation.NF4)


@pytest.mark.parametrize(("kind", "library"), LIBRARIES.items())
def test_a_library_that_is_missing_is_named_before_anything_is_loaded(
    monkeypatch: pytest.MonkeyPatch, kind: Quantisation, library: str
) -> None:
    # As if it were not installed: Python finds nothing under a name that leads to None.
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigurationError, match=rf"needs {library}, .*pip install 'glimt\[quantise\]'"):
        check_model(load_settings(_env_file=None, model="demo", quantisation=kind))
