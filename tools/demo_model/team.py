"""Several training processes that share each step's gradients.

On a CPU two processes of one thread each beat one process of two threads: they meet once a step
instead of in every operation, which matters most on a machine that is busy with other things.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.multiprocessing.spawn import spawn


def run_team(size: int, work: Callable[..., None], *arguments: Any) -> None:
    """Call `work(*arguments)` in `size` processes that can `average`; in this one if `size` is 1."""
    if size == 1:
        work(*arguments)
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    spawn(_join, (size, port, work, arguments), nprocs=size)


def _join(rank: int, size: int, port: int, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    # torch interrupts the team when the first process dies; a shell's background job ignores that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // size))
    # A minute-long wait is normal while one of the others compiles.
    dist.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=size, timeout=timedelta(minutes=20)
    )
    try:
        work(*arguments)
    finally:
        dist.destroy_process_group()


def rank_and_size() -> tuple[int, int]:
    """This process's number in the team, and the team's size: (0, 1) where there is no team."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def average(model: nn.Module, *numbers: float) -> list[float]:
    """Replace all gradients by their mean over the team; gives the means of `numbers`."""
    if rank_and_size()[1] == 1:
        return list(numbers)
    for parameter in model.parameters():
        # A batch without pictures leaves the vision tower without gradients, but maybe not elsewhere.
        if parameter.grad is None and parameter.requires_grad:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([*(g.flatten() for g in gradients), torch.tensor(numbers)])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()
    return [float(x) for x in flat[start:]]


def agree(value: float) -> float:
    """The first process's `value`, for decisions that all must take alike."""
    if rank_and_size()[1] == 1:
        return value
    shared = torch.tensor([value], dtype=torch.float64)
    dist.broadcast(shared, 0)
    return float(shared)
