"""Steppers that play a part, for tests of what stands around them."""

import threading
from collections.abc import Callable, Iterator

from core.errors import InferenceError
from core.inference.stepper import Outcome, Sequence


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
            result = self._play(sequence, len(sequence.computed))
            if isinstance(result, InferenceError):
                self.remove(sequence)
            else:
                sequence.computed.append(result)
            yield sequence, result
