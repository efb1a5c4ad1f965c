"""Runs the parts of a measurement one after the other, and keeps what they return."""

import json
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


class Measurement:
    """Runs the parts, and keeps what they return."""

    def __init__(self, device: str, small: bool, out: Path, budget_s: float) -> None:
        self.device = torch.device(device)
        self.small = small
        self._out = out
        self._began = time.perf_counter()
        self._budget_s = budget_s
        self.result: dict[str, Any] = {"torch": torch.__version__}
        if self.device.type == "cuda":
            self.result["gpu"] = torch.cuda.get_device_name()

    def part(self, name: str, work: Callable[[], object]) -> None:
        """Run one part, unless time is up."""
        began = time.perf_counter()
        if began - self._began > self._budget_s:
            self.result[name] = "no time left"
            return
        try:
            self.result[name] = work()
        except Exception:
            self.result[name] = {"error": traceback.format_exc()[-1500:]}
        self.synchronise()
        seconds = round(time.perf_counter() - began, 2)
        print(f"[{time.perf_counter() - self._began:6.1f}] {name} ({seconds} s): {self.result[name]}", flush=True)
        (self._out / "gpu.json").write_text(json.dumps(self.result, indent=1) + "\n")

    def synchronise(self) -> None:
        """Wait for the device."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def seconds(self, work: Callable[[], object], times: int) -> float:
        """Of one of `times` runs on average, after one that does not count."""
        work()
        self.synchronise()
        began = time.perf_counter()
        for _ in range(times):
            work()
        self.synchronise()
        return (time.perf_counter() - began) / times
