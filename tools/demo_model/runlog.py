"""A run's folder: its learning curve, and files that are never half written."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import torch


class RunLog:
    """Appends one JSON object a line to `path`, and prints it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path

    def write(self, **values: float | str | dict[str, float]) -> None:
        """Add one line; numbers are rounded to five digits."""
        line = {k: round(v, 5) if isinstance(v, float) else v for k, v in values.items()}
        text = json.dumps({"time": time.strftime("%H:%M:%S"), **line})
        print(text, flush=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")


def save_atomically(state: Any, path: Path) -> None:
    """`torch.save` to a neighbouring file, then rename: a crash leaves the old file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    os.replace(temporary, path)
