"""Weights in fewer bits: what of a model is quantised, by which library, and what cannot be.

torchao keeps integers of 8 bits, bitsandbytes the 4-bit type NF4; each is loaded only where it is asked for.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers.quantizers.quantizers_utils import should_convert_module

from core.errors import ConfigurationError, ModelLoadError
from core.inference.families import family_of
from core.inference.libraries import LIBRARIES, require_library
from core.values import Quantisation

# NF4 has one scale for so many numbers of a row. Rows that are no multiple break bitsandbytes' product on a CPU.
_NF4_BLOCK = 64


def quantisation_of(quantisation: Quantisation, kind: Any, config: Any, dtype: torch.dtype, folder: Path) -> Any:
    """What `from_pretrained` takes as `quantization_config`; None where nothing is quantised.

    `kind` is the auto class that makes a model of `config`; `dtype` is what is computed in.

    Raises:
        ConfigurationError: the library is missing, or this model cannot be quantised like that.
        ModelLoadError: the checkpoint is quantised already.
    """
    if quantisation is Quantisation.NONE:
        return None
    require_library(quantisation)
    if getattr(config, "quantization_config", None) is not None:
        raise ModelLoadError(f"{folder} is quantised already. Set GLIMT_QUANTISATION=none.")
    with torch.device("meta"):
        model = kind.from_config(config)
    quantised, skipped = divide(model)
    _refuse_experts(quantisation, model, quantised, folder)
    if quantisation is Quantisation.NF4:
        _refuse_odd_rows(quantised, folder)
        with without_fetched_kernels():
            importlib.import_module("bitsandbytes")
        from transformers import BitsAndBytesConfig

        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=dtype,
            llm_int8_skip_modules=skipped,
        )
    from torchao.quantization import Int8WeightOnlyConfig
    from transformers import TorchAoConfig

    return TorchAoConfig(Int8WeightOnlyConfig(), modules_to_not_convert=skipped)


@contextmanager
def without_fetched_kernels() -> Iterator[None]:
    """While it lasts the package `kernels` cannot be imported. Where it can be, bitsandbytes uses it on some processors
    to fetch native code from a hub and run it: code that nobody here chose or pinned."""
    before = sys.modules.get("kernels")
    sys.modules["kernels"] = None  # type: ignore[assignment]  # documented: importing it fails then
    try:
        yield
    finally:
        del sys.modules["kernels"]
        if before is not None:
            sys.modules["kernels"] = before


def divide(model: nn.Module) -> tuple[dict[str, nn.Linear], list[str]]:
    """The linear layers of `model` that are quantised, by name, and the names of those that are not.

    Not quantised are the vision tower and what leads from it to the language model, for they are small and pictures
    suffer from it first; the head, which chooses the words; and what the family names (routers).
    """
    inside = {id(module) for module in model.get_decoder().modules()}  # type: ignore[operator]
    named = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    kept = list(family_of(model.config.model_type).quantisation_skips)  # type: ignore[union-attr,arg-type]
    quantised = {
        name: module for name, module in named.items() if id(module) in inside and should_convert_module(name, kept)
    }
    return quantised, [name for name in named if name not in quantised]


def _refuse_experts(quantisation: Quantisation, model: Any, quantised: dict[str, nn.Linear], folder: Path) -> None:
    numbers = sum(parameter.numel() for parameter in model.get_decoder().parameters())
    # Experts stand in tensors of three dimensions, which are no linear layers to either library.
    experts = sum(parameter.numel() for parameter in model.get_decoder().parameters() if parameter.dim() > 2)
    if experts > numbers / 10:
        covered = sum(layer.weight.numel() for layer in quantised.values())
        raise ConfigurationError(
            f"GLIMT_QUANTISATION={quantisation}: {folder.name} is a mixture of experts, which "
            f"{LIBRARIES[quantisation]} leaves as they are: only {covered / numbers:.0%} of its language part would "
            "become smaller. Set GLIMT_QUANTISATION=none and give it more memory, or choose a model without experts."
        )


def _refuse_odd_rows(quantised: dict[str, nn.Linear], folder: Path) -> None:
    for name, layer in quantised.items():
        if layer.in_features % _NF4_BLOCK:
            raise ConfigurationError(
                f"GLIMT_QUANTISATION=nf4 takes numbers in blocks of {_NF4_BLOCK}, and {name} of {folder.name} has rows "
                f"of {layer.in_features}. Set GLIMT_QUANTISATION=int8 or none."
            )


def weight_bytes(model: nn.Module) -> int:
    """Memory of a loaded model's weights, quantised or not."""
    return sum(_bytes(tensor) for tensor in (*model.parameters(), *model.buffers()))


def _bytes(tensor: Any) -> int:
    """torchao's tensors are of several plain ones, whose names they tell."""
    if hasattr(tensor, "__tensor_flatten__") and type(tensor.data) is not torch.Tensor:
        names, _ = tensor.__tensor_flatten__()
        return sum(_bytes(getattr(tensor, name)) for name in names)
    # bitsandbytes keeps the scales beside the numbers.
    scales = getattr(getattr(tensor, "quant_state", None), "absmax", None)
    return int(tensor.nbytes) + (int(scales.nbytes) if scales is not None else 0)
