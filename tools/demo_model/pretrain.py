"""First stage: the vision tower alone learns to name what lies in each image token."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from transformers.models.glm4v.modeling_glm4v import Glm4vVisionModel

from .feed import feed
from .pixels import GRID_WEIGHTS, GRIDS, Grid, draw_pixels, to_patches
from .runlog import RunLog, save_atomically
from .scenes import sample_scene
from .tower import HelperHead, features, token_targets, vision_config

BATCH = 48
RATE = 2e-3

TowerBatch = tuple[Grid, npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def tower_batch(number: int) -> TowerBatch:
    """Batch `number`: its grid, pictures (B, H, W, 3) and targets (B, tokens, 3)."""
    rng = random.Random(f"tower {number}")
    grid = rng.choices(GRIDS, weights=GRID_WEIGHTS)[0]
    scenes = [sample_scene(rng) for _ in range(BATCH)]
    pixels = np.stack([draw_pixels(scene, grid, rng) for scene in scenes])
    targets = np.array([token_targets(scene, grid) for scene in scenes], dtype=np.int64)
    return grid, pixels, targets


def optimisers(modules: list[nn.Module], rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices, AdamW for embeddings, convolutions, norms and biases."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for module in modules:
        for name, parameter in module.named_parameters():
            hidden = parameter.ndim == 2 and "embed" not in name and "head" not in name
            (matrices if hidden else others).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]


def set_rate(optimisers: list[torch.optim.Optimizer], rate: float) -> None:
    """One learning rate for all: Muon's steps are scaled to AdamW's."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate


def pretrain_tower(out: Path, minutes: float, device: str) -> None:
    """Train the tower for `minutes` and write `out/tower.pt` (tower and helper head)."""
    torch.manual_seed(0)
    tower = Glm4vVisionModel(vision_config())
    nn.Module.to(tower, device)
    head = HelperHead().to(device)
    optimiser = optimisers([tower, nn.ModuleDict({"head": head})], RATE)
    log = RunLog(out / "tower.jsonl")
    begin = time.monotonic()
    for step, (grid, pixels, targets) in enumerate(feed(tower_batch, 0)):
        done = (time.monotonic() - begin) / (60 * minutes)
        if done >= 1:
            break
        set_rate(optimiser, RATE * min(1.0, (step + 1) / 50, (1 - done) / 0.5))
        patches = to_patches(torch.from_numpy(pixels).to(device))
        wanted = torch.from_numpy(targets).to(device)
        tokens = features(tower, patches, grid)
        loss = head.loss(tokens, wanted)
        loss.backward()
        nn.utils.clip_grad_norm_([*tower.parameters(), *head.parameters()], 1.0)
        for one in optimiser:
            one.step()
            one.zero_grad()
        if step % 20 == 0:
            log.write(
                step=step, minutes=(time.monotonic() - begin) / 60, loss=loss.item(), **_accuracy(head, tokens, wanted)
            )
    save_atomically({"tower": tower.state_dict(), "head": head.state_dict()}, out / "tower.pt")


@torch.no_grad()
def _accuracy(head: HelperHead, tokens: torch.Tensor, wanted: torch.Tensor) -> dict[str, float]:
    """Shares of image tokens with an object whose shape, colour and cell are named right."""
    full = wanted[..., 0] != wanted[..., 0].max()
    return {
        name: (scores.argmax(-1) == target)[full].float().mean().item()
        for name, scores, target in zip(("shape", "colour", "cell"), head(tokens), wanted.unbind(-1), strict=True)
    }
