"""What went wrong in a computation, in our terms."""

import torch

from core.errors import InferenceError, OutOfMemory


def as_failure(error: Exception) -> InferenceError:
    """`error` as one of ours: memory that ran out can be there later, anything else fails again."""
    if isinstance(error, InferenceError):
        return error
    # The CPU allocator has no exception type of its own.
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error):
        return OutOfMemory(str(error))
    return InferenceError(f"{type(error).__name__}: {error}")
