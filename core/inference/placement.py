"""How much of a model goes to which GPU. Arithmetic on bytes; no torch. Not run on several GPUs so far."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

Device = TypeVar("Device", bound=Hashable)

# Of a GPU's free memory; the rest is for the driver.
USABLE = 0.95
# Layers are moved whole, so a GPU may get that much more than its share.
_UNEVEN = 1.15
_LARGEST_LAYER = 2 * 1024**3


def few_that_hold(need: int, free: Sequence[int]) -> tuple[int, ...] | None:
    """Numbers of the GPUs that hold `need` bytes: the one with the most memory if it is enough, for a step over several
    computes on one after the other; else as few as possible, the largest first. None if all are too little."""
    by_size = sorted(range(len(free)), key=lambda gpu: (-free[gpu], gpu))
    held = 0.0
    for count, gpu in enumerate(by_size, 1):
        held += free[gpu] * USABLE
        if need <= held:
            return tuple(sorted(by_size[:count]))
    return None


def weight_limits(weights: int, free: Mapping[int, int]) -> dict[int, int]:
    """Bytes of the weights that each GPU may take, by its number: in proportion to what is free there, so that room
    for keys and values is left on each."""
    total = sum(free.values())
    return {
        gpu: min(int(bytes_ * USABLE), int(weights * bytes_ / total * _UNEVEN) + min(_LARGEST_LAYER, bytes_ // 8))
        for gpu, bytes_ in free.items()
    }


def tokens_that_fit(token_bytes: Mapping[Device, int], budget: Mapping[Device, int]) -> int:
    """Tokens whose keys and values fit every device, where one takes `token_bytes` there and `budget` may be used."""
    return min(budget[device] // taken for device, taken in token_bytes.items())
