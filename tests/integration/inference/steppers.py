"""Steppers that play a part, for tests of what stands around them."""

import threading
from collections.abc import Callable, Iterator

from core.errors import InferenceError
from core.inference.batch import BatchStepper
from core.inference.graphs import Record
from core.inference.loader import LoadedModel
from core.inference.pictures import PictureEncoder
from core.inference.port import EngineStats
from core.inference.prefixes import PrefixCache
from core.inference.ragged import layer_shapes
from core.inference.slots import KvSlots
from core.inference.stepper import Admitted, Outcome, Sequence


class PlayedStepper:
    """Gives each sequence what `play(sequence, number of its next token)` says.

    `held` are the sequences that are in; `emptied` is set while there is none and some were there before.
    """

    def __init__(self, play: Callable[[Sequence, int], int | InferenceError]) -> None:
        self._play = play
        self.held: list[Sequence] = []
        self.emptied = threading.Event()

    def add(self, sequence: Sequence) -> None:
        self.held.append(sequence)
        self.emptied.clear()

    def remove(self, sequence: Sequence) -> None:
        if sequence in self.held:
            self.held.remove(sequence)
            if not self.held:
                self.emptied.set()

    def stats(self) -> EngineStats:
        return EngineStats(running=len(self.held))

    def step(self) -> Iterator[Outcome]:
        for sequence in list(self.held):
            if sequence.state is None:
                sequence.state = "admitted"
                yield sequence, Admitted()
            result = self._play(sequence, len(sequence.computed))
            if isinstance(result, InferenceError):
                self.remove(sequence)
            else:
                sequence.computed.append(result)
            yield sequence, result


def batch_stepper(
    loaded: LoadedModel,
    *,
    tokens: int = 4096,
    chunk_tokens: int = 512,
    prefix_bytes: int = 2**24,
    picture_bytes: int = 2**24,
    most_rows: int = 64,
    record: Record | None = None,
) -> BatchStepper:
    """A stepper as a worker has it, with memory and chunks of a test's choice."""
    return BatchStepper(
        loaded,
        KvSlots(layer_shapes(loaded.model, loaded.device), tokens, loaded.model.dtype, loaded.device),
        PictureEncoder(loaded.model, loaded.device, picture_bytes),
        PrefixCache(prefix_bytes),
        most_rows=most_rows,
        chunk_tokens=chunk_tokens,
        record=record,
    )
