"""Root mean square norms as one operation. transformers writes them as seven, and a step has one in each half layer."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

# Of the largest number. The original rounds twice.
_TOLERANCE = 2**-6


class FusedRmsNorm(nn.Module):
    """Stands in for `norm` and has its weight: (…, width) to (…, width)."""

    def __init__(self, norm: Any) -> None:
        super().__init__()
        self.weight = norm.weight
        self.variance_epsilon: float = norm.variance_epsilon

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, self.variance_epsilon)


def fuse_norms(model: nn.Module) -> int:
    """Replace the norms of `model` that compute what one operation does; how many there were."""
    found = 0
    for path, norm in list(model.named_modules(remove_duplicate=False)):
        # Some are meant to be carried to their device by a hook. Others add one to their weights, and look alike.
        if type(norm).__name__.endswith("RMSNorm") and not hasattr(norm, "_hf_hook") and _is_plain(norm):
            model.set_submodule(path, FusedRmsNorm(norm))
            found += 1
    return found


def _is_plain(norm: Any) -> bool:
    weight = getattr(norm, "weight", None)
    if not isinstance(weight, torch.Tensor) or weight.dim() != 1 or not hasattr(norm, "variance_epsilon"):
        return False
    with torch.inference_mode():
        x = torch.linspace(-3, 3, weight.numel(), dtype=weight.dtype, device=weight.device)[None]
        try:
            expected, made = norm(x), FusedRmsNorm(norm)(x)
        except (RuntimeError, TypeError):
            return False
        return expected.dtype == made.dtype and bool((made - expected).abs().max() <= _TOLERANCE * expected.abs().max())
