"""What differs between families of models, by `config.model_type`: facts, looked up and nowhere else spelled out."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

# One picture's part of the processor's output, and its number of placeholder tokens in the prompt.
Part = tuple[dict[str, torch.Tensor], int]
# (what the processor gave for all pictures, ids of the prompt (L,), which of them are placeholders (L,), pictures).
Split = Callable[[dict[str, torch.Tensor], torch.Tensor, torch.Tensor, int], list[Part]]


@dataclass(frozen=True, slots=True)
class Family:
    """How one family is served.

    `split` takes the processor's output apart by pictures; None for a family whose sequences are computed one by one.
    `area_unit`: how many units of the processor's `size["longest_edge"]` one pixel is, 0 where `size` is no area.
    """

    split: Split | None = None
    area_unit: int = 0

    @property
    def batched(self) -> bool:
        """Whether many of its sequences take part in one step."""
        return self.split is not None


def by_grid(
    inputs: dict[str, torch.Tensor], _ids: torch.Tensor, placeholders: torch.Tensor, pictures: int
) -> list[Part]:
    """GLM and Qwen: all patches in one tensor, the grid of each picture beside it."""
    grids = inputs["image_grid_thw"]
    patches = grids.prod(-1)
    merged = int(patches.sum()) // int(placeholders.sum())
    parts = inputs["pixel_values"].split(patches.tolist())
    return [
        ({"pixel_values": part, "image_grid_thw": grid[None]}, int(count) // merged)
        for part, grid, count in zip(parts, grids, patches, strict=True)
    ]


def by_run(
    inputs: dict[str, torch.Tensor], _ids: torch.Tensor, placeholders: torch.Tensor, pictures: int
) -> list[Part]:
    """LLaVA: one row of each tensor a picture, whose placeholders stand together."""
    return [
        ({name: value[n : n + 1] for name, value in inputs.items()}, run)
        for n, run in enumerate(_runs(placeholders, pictures))
    ]


def by_tiles(
    inputs: dict[str, torch.Tensor], ids: torch.Tensor, placeholders: torch.Tensor, pictures: int
) -> list[Part]:
    """InternVL: tiles of all pictures in one tensor; the placeholders of a picture's tiles stand together."""
    tiles = inputs["pixel_values"]
    each = int(placeholders.sum()) // len(tiles)
    runs = _runs(placeholders, pictures)
    parts = tiles.split([run // each for run in runs])
    return [({"pixel_values": part}, run) for part, run in zip(parts, runs, strict=True)]


def by_last_tile(
    inputs: dict[str, torch.Tensor], ids: torch.Tensor, placeholders: torch.Tensor, pictures: int
) -> list[Part]:
    """SmolVLM, Idefics3: tiles (1, T, …) of all pictures; a picture's last tile is the whole of it, behind a mark of
    its own. The mark is what stands before the very last tile of the prompt."""
    starts = _starts(placeholders)
    mark = ids[starts[-1] - 1]
    ends = [n + 1 for n, start in enumerate(starts) if ids[start - 1] == mark]
    if len(ends) != pictures:
        raise ValueError(f"{pictures} pictures, but {len(ends)} of them end among the {len(starts)} tiles")
    each = int(placeholders.sum()) // len(starts)
    begins = [0, *ends[:-1]]
    return [
        ({name: value[:, begin:end] for name, value in inputs.items()}, each * (end - begin))
        for begin, end in zip(begins, ends, strict=True)
    ]


def _starts(placeholders: torch.Tensor) -> list[int]:
    """Where runs of placeholders begin."""
    before = torch.cat([placeholders.new_zeros(1), placeholders[:-1]])
    starts: list[int] = (placeholders & ~before).nonzero()[:, 0].tolist()
    return starts


def _runs(placeholders: torch.Tensor, pictures: int) -> list[int]:
    """Lengths of the runs of placeholders, one for each picture."""
    after = torch.cat([placeholders[1:], placeholders.new_zeros(1)])
    ends: list[int] = (placeholders & ~after).nonzero()[:, 0].tolist()
    runs = [end - start + 1 for start, end in zip(_starts(placeholders), ends, strict=True)]
    if len(runs) != pictures:
        raise ValueError(f"{pictures} pictures, but {len(runs)} runs of placeholders")
    return runs


def _none(inputs: dict[str, torch.Tensor], ids: torch.Tensor, placeholders: torch.Tensor, pictures: int) -> list[Part]:
    """A model that reads text only."""
    return []


_GLM = Family(by_grid, area_unit=2)
_QWEN = Family(by_grid, area_unit=1)

FAMILIES: dict[str, Family] = {
    "glm4v": _GLM,
    "glm46v": _GLM,
    "glm4v_moe": _GLM,
    "glm_ocr": _GLM,
    "qwen2_vl": _QWEN,
    "qwen2_5_vl": _QWEN,
    "qwen3_vl": _QWEN,
    "llava": Family(by_run),
    "llava_next": Family(by_run),
    "smolvlm": Family(by_last_tile),
    "idefics3": Family(by_last_tile),
    "internvl": Family(by_tiles),
    "glm4_moe_lite": Family(_none),
}
# Right for everything that transformers loads, one sequence at a time.
_ANY = Family()


def family_of(model_type: str) -> Family:
    """The family of a model by its configuration's `model_type`; what is not known is served one by one."""
    return FAMILIES.get(model_type, _ANY)
