"""Weights of linear layers in the order in which oneDNN multiplies them, so that no step has to bring them into it."""

import math
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

# Rows that a step has, from one decoding sequence to a chunk of a prompt. What is packed must serve all of them.
_ROWS = (1, 8, 32, 256)
_HINT = 32
_REPEATS = 5


class PackedLinear(nn.Module):
    """Stands in for a `linear` of a CPU model and has its weights: (…, in) to (…, out)."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.bias = linear.bias
        # No parameter and no buffer: such a tensor can be used by its product alone, not copied, moved or saved.
        self._packed = _pack(linear.weight)

    @property
    def weight(self) -> torch.Tensor:
        """A copy of the weights as they were, (out, in): some modules look at those of their layers."""
        plain: torch.Tensor = self._packed.to_dense()
        return plain

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _multiply(x, self._packed, self.bias)


def pack_linears(model: nn.Module, pays: Callable[[torch.Tensor], bool] | None = None) -> int:
    """Replace the linear layers of `model` where that `pays`, by default where it is faster here; how many there were.

    Each layer's own weight is freed when it is packed, unless it is tied to another.
    """
    paths: dict[nn.Linear, list[str]] = {}
    # The kind of matrix with the most work.
    work = Counter[torch.Size]()
    for path, module in model.named_modules(remove_duplicate=False):
        if _is_plain(module):
            paths.setdefault(module, []).append(path)
            work[module.weight.shape] += module.weight.numel()
    if not paths:
        return 0
    common = work.most_common(1)[0][0]
    if not (pays or packing_pays)(next(linear.weight for linear in paths if linear.weight.shape == common)):
        return 0
    found = len(paths)
    # Nothing here holds a layer once it is packed: there are never all weights twice.
    del module
    while paths:
        linear, places = paths.popitem()
        packed = PackedLinear(linear)
        del linear
        for path in places:
            model.set_submodule(path, packed)
    return found


def packing_pays(weight: torch.Tensor) -> bool:
    """Whether products with `weight` (out, in) are faster packed, over all numbers of rows. Takes some milliseconds.

    It is measured, since it depends on the processor and on what torch multiplies with: in bfloat16 on AVX-512 a single
    row was 2 times as fast; in float32 twice as fast on one maker's processors, and slower on another's.
    """
    if weight.device.type != "cpu" or weight.dtype not in (torch.float32, torch.bfloat16):
        return False
    with torch.inference_mode():
        try:
            packed = _pack(weight)
        except RuntimeError:
            # This processor has no such order for this type.
            return False
        gain = 0.0
        for rows in _ROWS:
            x = torch.zeros(rows, weight.shape[1], dtype=weight.dtype)
            gain += math.log(_seconds(lambda x=x: F.linear(x, weight)))  # type: ignore[misc]
            gain -= math.log(_seconds(lambda x=x: _multiply(x, packed, None)))  # type: ignore[misc]
    return gain > 0


def _is_plain(module: Any) -> bool:
    # Quantised layers are of other classes, or have weights of one.
    return (
        type(module) is nn.Linear
        and type(module.weight) is nn.Parameter
        and module.weight.device.type == "cpu"
        and module.weight.dtype in (torch.float32, torch.bfloat16)
    )


def _pack(weight: torch.Tensor) -> torch.Tensor:
    packed: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), _HINT)
    return packed


def _multiply(x: torch.Tensor, packed: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")
    return product


def _seconds(compute: Callable[[], object]) -> float:
    """The shortest of some runs: what else the machine does only ever makes them longer."""
    compute()
    best = math.inf
    for _ in range(_REPEATS):
        began = time.perf_counter()
        compute()
        best = min(best, time.perf_counter() - began)
    return best
