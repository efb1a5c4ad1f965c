"""The most memory of a GPU that this process has held."""

import sys


def device_peak_bytes() -> int:
    """Bytes, over all GPUs; 0 where torch has none, or was never loaded."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return 0
    return sum(torch.cuda.max_memory_allocated(number) for number in range(torch.cuda.device_count()))
