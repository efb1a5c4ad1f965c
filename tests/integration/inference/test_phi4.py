"""Phi-4 Multimodal: its LoRA for pictures is merged, and a picture looks the same whatever is beside it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from core.errors import ModelLoadError
from core.inference.loader import load_model
from core.inference.pictures import PictureEncoder
from core.inference.port import Message
from core.settings import load_settings
from tests.integration.inference.conftest import CheckpointOf, EngineOf, noise

MODULES = {"model.layers.0.self_attn.qkv_proj": (128, 64), "model.layers.1.mlp.down_proj": (64, 96)}
SETTINGS: dict[str, Any] = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "use_dora": False, "rank_pattern": {}}


@pytest.fixture
def folder(checkpoint: CheckpointOf, tmp_path: Path) -> Path:
    """A checkpoint with a LoRA, as peft writes it."""
    shutil.copytree(checkpoint("phi4_multimodal"), tmp_path, dirs_exist_ok=True)
    (tmp_path / "vision-lora").mkdir()
    (tmp_path / "vision-lora" / "adapter_config.json").write_text(json.dumps(SETTINGS))
    save_file(weights(), tmp_path / "vision-lora" / "adapter_model.safetensors")
    return tmp_path


def weights() -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    made = {}
    for name, (high, wide) in MODULES.items():
        made[f"base_model.model.{name}.lora_A.weight"] = torch.randn(2, wide, generator=random)
        made[f"base_model.model.{name}.lora_B.weight"] = torch.randn(high, 2, generator=random)
    return made


def load(folder: Path) -> Any:
    return load_model(load_settings(_env_file=None, model=str(folder), device="cpu", dtype="float32")).model


def test_the_lora_is_in_the_weights(checkpoint: CheckpointOf, folder: Path) -> None:
    plain, merged = load(checkpoint("phi4_multimodal")), load(folder)
    parts = weights()
    for name, parameter in plain.named_parameters():
        expected = parameter
        if (module := name.removesuffix(".weight")) in MODULES:
            up, down = (parts[f"base_model.model.{module}.lora_{part}.weight"] for part in ("B", "A"))
            expected = parameter + 2 * up @ down
        torch.testing.assert_close(merged.get_parameter(name), expected)


def _without_config(lora: Path) -> None:
    (lora / "adapter_config.json").unlink()


def _cut_off(lora: Path) -> None:
    file = lora / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:100])


def _half(lora: Path) -> None:
    save_file({n: w for n, w in weights().items() if "lora_A" in n}, lora / "adapter_model.safetensors")


def _of_another_model(lora: Path) -> None:
    save_file({n: w[:, :1].contiguous() for n, w in weights().items()}, lora / "adapter_model.safetensors")


def _of_another_kind(lora: Path) -> None:
    (lora / "adapter_config.json").write_text(json.dumps(SETTINGS | {"use_dora": True}))


def _empty(lora: Path) -> None:
    save_file({"other": torch.zeros(1)}, lora / "adapter_model.safetensors")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_without_config, "broken"),
        (_cut_off, "broken"),
        (_half, "does not fit"),
        (_of_another_model, "does not fit"),
        (_of_another_kind, "use_dora"),
        (_empty, "no low-rank"),
    ],
)
def test_a_lora_that_cannot_be_merged(folder: Path, damage: Callable[[Path], None], says: str) -> None:
    damage(folder / "vision-lora")
    with pytest.raises(ModelLoadError, match=says):
        load(folder)


def test_a_picture_looks_the_same_alone_and_beside_others(engine_of: EngineOf) -> None:
    engine = engine_of("phi4_multimodal")
    encoder = PictureEncoder(engine._loaded.model, engine._loaded.device, 0)
    # Of the first every tile is full, so nothing has to be masked.
    pictures = (noise(56, 112, 1), noise(300, 80, 2))
    both = engine._renderer([Message("user", "What?", pictures)])
    features = [encoder("", picture).tokens for picture in both.pictures]
    for picture, beside in zip(pictures, features, strict=True):
        (alone,) = engine._renderer([Message("user", "What?", (picture,))]).pictures
        torch.testing.assert_close(encoder("", alone).tokens, beside)
    place = engine._loaded.model.model.embed_tokens_extend.image_embed
    ids = torch.full((1, both.picture_tokens), engine._loaded.model.config.vision_config.image_token_id)
    with torch.inference_mode():
        together = place(ids, torch.zeros(*ids.shape, 64), **both.inputs)[0]
    torch.testing.assert_close(together, torch.cat(features))
