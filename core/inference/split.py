"""Takes what a processor made of all pictures of a prompt apart, picture by picture."""

from collections.abc import Callable

import torch

# One picture's part of the processor's output, and its number of placeholder tokens in the prompt.
Part = tuple[dict[str, torch.Tensor], int]
# (what the processor gave for all pictures, ids of the prompt (L,), which of them are placeholders (L,), pictures).
Split = Callable[[dict[str, torch.Tensor], torch.Tensor, torch.Tensor, int], list[Part]]


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
    """LLaVA-NeXT: one row of each tensor a picture, whose placeholders stand together."""
    return [
        ({name: value[n : n + 1] for name, value in inputs.items()}, run)
        for n, run in enumerate(_runs(placeholders, pictures))
    ]


def by_share(
    inputs: dict[str, torch.Tensor], _ids: torch.Tensor, placeholders: torch.Tensor, pictures: int
) -> list[Part]:
    """LLaVA, PaliGemma: one row of each tensor a picture, and as many tokens for each as for any other."""
    each = int(placeholders.sum()) // pictures
    return [({name: value[n : n + 1] for name, value in inputs.items()}, each) for n in range(pictures)]


def by_shown_tiles(
    inputs: dict[str, torch.Tensor], _ids: torch.Tensor, placeholders: torch.Tensor, pictures: int
) -> list[Part]:
    """Phi-4: one row of each tensor a picture, filled up to the most tiles of any. How many tokens a picture has is
    told by the patches of its tiles that show it; the first tile is all of it, small."""
    parts = []
    masks = inputs["image_attention_mask"]
    for n, (height, width) in enumerate(inputs["image_sizes"].tolist()):
        side = inputs["image_pixel_values"].shape[-1]
        rows, columns = height // side, width // side
        tiles = 1 + rows * columns
        shown = masks[n, 1:tiles, ::2, ::2]
        each = shown.shape[-1]
        # The first column and the first row of the grid, all of whose tiles have a part of the picture.
        tall = int(shown[::columns, :, 0].sum())
        wide = int(shown[:columns, 0].sum())
        part = {name: value[n : n + 1, :tiles] for name, value in inputs.items() if name != "image_sizes"}
        part["image_sizes"] = inputs["image_sizes"][n : n + 1]
        parts.append((part, each * (each + 1) + 1 + tall * (wide + 1)))
    if (total := sum(tokens for _, tokens in parts)) != int(placeholders.sum()):
        raise ValueError(f"{int(placeholders.sum())} placeholders for pictures of {total} tokens")
    return parts


def none(inputs: dict[str, torch.Tensor], ids: torch.Tensor, placeholders: torch.Tensor, pictures: int) -> list[Part]:
    """A model that reads text only."""
    return []


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
