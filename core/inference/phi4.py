"""What Phi-4 Multimodal needs after loading, before it sees right."""

import json
from pathlib import Path
from typing import Any

import structlog
import torch
from safetensors.torch import load_file

from core.errors import ModelLoadError

log = structlog.get_logger(__name__)

# Beside the weights of the language model: what is added to them for pictures. Some publish them merged.
_LORA = "vision-lora"
# Variants that are computed in another way.
_OTHER_KINDS = ("use_dora", "use_rslora", "rank_pattern", "alpha_pattern", "fan_in_fan_out", "modules_to_save")


def prepare(model: Any, folder: Path) -> None:
    """Merge the checkpoint's LoRA for pictures, and let its vision tower look both ways.

    Raises:
        ModelLoadError: the LoRA is broken, of an unknown kind, or the weights cannot take it in.
    """
    for module in model.modules():
        # transformers 5.23 leaves it at true. It only counts while every patch shows the picture, because then there is
        # no mask to overrule it: what a picture looks like would depend on the pictures beside it.
        if type(module).__name__ == "Phi4MultimodalVisionAttention":
            module.is_causal = False
    if (folder / _LORA).is_dir():
        merged = _merge(model, folder / _LORA)
        log.info("lora_merged", lora=_LORA, modules=merged)
    else:
        log.info("no_lora", lora=_LORA, meaning="the weights must have it in them already")


def _merge(model: Any, folder: Path) -> int:
    """Add `scale * B @ A` to the weight of each module that the LoRA in `folder` names; how many there were."""
    try:
        settings = json.loads((folder / "adapter_config.json").read_bytes())
        weights = load_file(folder / "adapter_model.safetensors")
        scale = settings["lora_alpha"] / settings["r"]
    except Exception as error:
        # safetensors has an error of its own for damage, derived from nothing else.
        raise ModelLoadError(f"{folder} is broken ({type(error).__name__}: {error}). Fetch the model again.") from error
    if other := [name for name in _OTHER_KINDS if settings.get(name)]:
        raise ModelLoadError(f"{folder} uses {', '.join(other)}, which Glimt cannot merge. Merge it with peft first.")
    downs = [name for name in weights if name.endswith(".lora_A.weight")]
    modules = dict(model.named_modules())
    for down in downs:
        name = down.removesuffix(".lora_A.weight").removeprefix("base_model.model.")
        module, up = modules.get(name), weights.get(down.replace(".lora_A.", ".lora_B."))
        if module is None:
            raise ModelLoadError(f"{folder} names {name}, which the model does not have. Fetch the model again.")
        target: Any = getattr(module, "weight", None)
        # Quantised layers are of other classes, or have weights of one.
        if type(module) is not torch.nn.Linear or type(target) is not torch.nn.Parameter:
            raise ModelLoadError(f"{folder} cannot be merged into quantised weights. Set GLIMT_QUANTISATION=none.")
        if up is None or target.shape != (up.shape[0], weights[down].shape[1]):
            raise ModelLoadError(f"{folder} does not fit the model at {name}. Fetch the model again.")
        with torch.no_grad():
            product = up.to(target.device, torch.float32) @ weights[down].to(target.device, torch.float32)
            target.copy_(target.float() + scale * product)
    if not downs:
        raise ModelLoadError(f"{folder} holds no low-rank weights. Fetch the model again.")
    return len(downs)
