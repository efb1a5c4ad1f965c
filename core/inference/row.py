"""A sequence among those that the batching stepper advances."""

from collections.abc import Iterator

import torch

from core.inference.pictures import Features
from core.inference.prefixes import marks_of
from core.inference.render import PromptPicture
from core.inference.sampling import Sampler
from core.inference.stepper import Sequence


class Row:
    """A sequence in its slot. `filled` of its tokens have keys and values there, `need` is the most it may have.

    `arrival` grows with every row that is admitted.
    """

    def __init__(self, sequence: Sequence, need: int, sampler: Sampler, arrival: int) -> None:
        self.sequence = sequence
        self.need = need
        self.sampler = sampler
        self.arrival = arrival
        self.filled = 0
        self.marks = marks_of(sequence.prompt)
        # How many placeholders stand before each place.
        self.before = torch.cat([torch.zeros(1, dtype=torch.long), sequence.prompt.placeholders.cumsum(0)])
        self.features: list[Features | None] = [None] * len(sequence.prompt.pictures)

    @property
    def prompt_tokens(self) -> int:
        return self.sequence.prompt.tokens

    @property
    def left(self) -> int:
        """Tokens of the prompt still to be computed."""
        return self.prompt_tokens - self.filled

    def placeholders_in(self, tokens: int) -> torch.Tensor:
        """(tokens,) which of the next `tokens` tokens of the prompt stand for pictures."""
        return self.sequence.prompt.placeholders[self.filled : self.filled + tokens]

    def pictures_in(self, tokens: int) -> Iterator[tuple[int, PromptPicture]]:
        """The pictures that the next `tokens` tokens show a part of, with their numbers."""
        for number, picture, _ in self._parts(tokens):
            yield number, picture

    def features_in(self, tokens: int) -> Iterator[Features]:
        """Features of the placeholders among the next `tokens` tokens. Their pictures are encoded by now."""
        for number, _, part in self._parts(tokens):
            features = self.features[number]
            assert features is not None
            yield Features(features.tokens[part], tuple(layer[part] for layer in features.deep))

    def _parts(self, tokens: int) -> Iterator[tuple[int, PromptPicture, slice]]:
        """Each picture with the part of its tokens that lies among the next `tokens` tokens, where that is not none."""
        first, last = int(self.before[self.filled]), int(self.before[self.filled + tokens])
        at = 0
        for number, picture in enumerate(self.sequence.prompt.pictures):
            part = slice(max(0, first - at), min(picture.tokens, last - at))
            if part.start < part.stop:
                yield number, picture, part
            at += picture.tokens
