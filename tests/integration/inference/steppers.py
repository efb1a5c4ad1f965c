"""Steppers that play a part, for tests of what stands around them."""

import threading
from collections.abc import Callable, Iterator

from core.errors import InferenceError
from core.inference.batch import BatchStepper
from core.inference.loader import LoadedModel
from core.inference.pictures import PictureEncoder
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

    def warm_up(self) -> bool:
        return False


class PreparingStepper(PlayedStepper):
    """Has preparations without end. Each piece tells that it has `begun` and goes on when it is `let`; `broken` makes
    the next one fail. `pieces` have ended."""

    def __init__(self, play: Callable[[Sequence, int], int | InferenceError]) -> None:
        super().__init__(play)
        self.begun = threading.Semaphore(0)
        self.let = threading.Semaphore(0)
        self.broken = False
        self.pieces = 0

    def warm_up(self) -> bool:
        self.begun.release()
        assert self.let.acquire(timeout=30)
        self.pieces += 1
        if self.broken:
            raise ZeroDivisionError("a mistake")
        return True


def batch_stepper(
    loaded: LoadedModel,
    *,
    tokens: int = 4096,
    chunk_tokens: int = 512,
    prefix_bytes: int = 2**24,
    picture_bytes: int = 2**24,
    most_rows: int = 64,
) -> BatchStepper:
    """A stepper as a worker has it, with memory and chunks of a test's choice."""
    return BatchStepper(
        loaded,
        KvSlots(layer_shapes(loaded.model, loaded.device), tokens, loaded.model.dtype, loaded.device),
        PictureEncoder(loaded.model, loaded.device, picture_bytes),
        PrefixCache(prefix_bytes),
        most_rows=most_rows,
        chunk_tokens=chunk_tokens,
    )
