"""Muon for all hidden matrices at once: those of one shape are one stack, which a GPU turns in a few calls.

The rule is that of `torch.optim.Muon` with `adjust_lr_fn="match_rms_adamw"`, so one learning rate serves it and AdamW.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor, nn

_STEPS = 5
_A, _B, _C = 3.4445, -4.7750, 2.0315


class Muon(torch.optim.Optimizer):
    """`matrices`: two-dimensional parameters. A step moves each by about `lr` in root mean square."""

    def __init__(self, matrices: list[nn.Parameter], lr: float, *, momentum: float = 0.95, decay: float = 0.05) -> None:
        stacks: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
        for matrix in matrices:
            stacks[matrix.shape].append(matrix)
        groups: list[dict[str, Any]] = [{"params": stack} for stack in stacks.values()]
        super().__init__(groups, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step. Matrices without a gradient stay."""
        for group in self.param_groups:
            active = [p for p in group["params"] if p.grad is not None]
            if not active:
                continue
            gradient = torch.stack([p.grad for p in active if p.grad is not None]).float()
            state = self.state[group["params"][0]]
            if state.get("momentum") is None or len(state["momentum"]) != len(active):
                state["momentum"] = torch.zeros_like(gradient)
            momentum: Tensor = state["momentum"]
            momentum.lerp_(gradient, 1 - group["momentum"])
            update = orthogonal(gradient.lerp(momentum, group["momentum"]))
            rate = group["lr"] * 0.2 * max(update.shape[-2:]) ** 0.5
            torch._foreach_mul_(active, 1 - group["lr"] * group["decay"])
            torch._foreach_add_(active, list(update.to(active[0].dtype).unbind(0)), alpha=-rate)


def orthogonal(stack: Tensor) -> Tensor:
    """The nearest semi-orthogonal matrices, about, by Newton and Schulz: (n, rows, columns)."""
    x = stack.bfloat16() if stack.is_cuda else stack
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(_STEPS):
        square = x @ x.mT
        x = _A * x + (_B * square + _C * square @ square) @ x
    turned: Tensor = x.mT if tall else x
    return turned
