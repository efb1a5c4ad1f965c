"""Runs at the start of every process in the peers' environments, by PYTHONPATH: makes torchvision importable.

PyPI's torchvision is linked to CUDA's torch. Beside a CPU build its library cannot be loaded, and then its import fails
because operators are missing that nothing here ever calls. Their names are enough.
"""

import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


class _BeforeTorchvision:
    """Finds nothing, but is asked before anything is imported."""

    kept: Any = None

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name == "torchvision":
            sys.meta_path.remove(cls)
            spec = PathFinder.find_spec(name)
            if spec is not None and spec.origin is not None:
                cls.kept = _declare_missing(Path(spec.origin).parent)
        return None


def _declare_missing(folder: Path) -> Any:
    """The library that must be kept alive, or None where torchvision has its own."""
    import torch

    try:
        for library in folder.glob("_C*.so"):
            torch.ops.load_library(library)
        torch.ops.torchvision.nms  # noqa: B018  # raises if it is not there
    except (OSError, AttributeError):
        declared = torch.library.Library("torchvision", "FRAGMENT")
        for schema in _SCHEMAS:
            declared.define(schema)
        return declared
    return None


sys.meta_path.insert(0, _BeforeTorchvision)
