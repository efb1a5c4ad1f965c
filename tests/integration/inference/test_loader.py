"""What the loader refuses: weights that are not all there would be answers from random numbers."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import ModelLoadError
from core.inference.loader import load_model
from core.settings import Settings, load_settings
from tests.integration.inference.checkpoints import FAMILIES
from tests.integration.inference.conftest import CheckpointOf

Weights = dict[str, torch.Tensor]


def settings(folder: Path) -> Settings:
    return load_settings(_env_file=None, model=str(folder), device="cpu")


def changed(checkpoint: Path, folder: Path, change: Callable[[Weights], Weights]) -> Path:
    """A copy of `checkpoint` in `folder` with its weights changed."""
    shutil.copytree(checkpoint, folder, dirs_exist_ok=True)
    save_file(change(load_file(checkpoint / "model.safetensors")), folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_a_layer_that_is_missing_is_named(checkpoint: CheckpointOf, tmp_path: Path, family: str) -> None:
    def without_a_layer(weights: Weights) -> Weights:
        left = {name: value for name, value in weights.items() if ".layers.1.self_attn" not in name}
        assert len(left) < len(weights)
        return left

    folder = changed(checkpoint(family), tmp_path, without_a_layer)

    with pytest.raises(ModelLoadError, match=r"layers\.1\.self_attn.* and \d+ more") as caught:
        load_model(settings(folder))
    assert str(folder) in str(caught.value)


def test_a_weight_of_another_shape_is_refused(checkpoint: CheckpointOf, tmp_path: Path) -> None:
    name = "model.language_model.layers.1.input_layernorm.weight"
    folder = changed(checkpoint("glm4v"), tmp_path, lambda weights: weights | {name: weights[name][:-1].clone()})

    with pytest.raises(ModelLoadError):
        load_model(settings(folder))


def test_tied_weights_are_not_missed(checkpoint: CheckpointOf, tmp_path: Path) -> None:
    def without_head(weights: Weights) -> Weights:
        del weights["lm_head.weight"]
        return weights

    folder = changed(checkpoint("qwen2_vl"), tmp_path, without_head)
    with pytest.raises(ModelLoadError, match=r"lm_head\.weight"):
        load_model(settings(folder))
    config = json.loads((folder / "config.json").read_text())
    config["tie_word_embeddings"] = config["text_config"]["tie_word_embeddings"] = True
    (folder / "config.json").write_text(json.dumps(config))

    model = load_model(settings(folder)).model

    assert model.lm_head.weight.data_ptr() == model.get_input_embeddings().weight.data_ptr()
