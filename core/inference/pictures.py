"""From a picture's patches to what the language model reads of it, kept for the next question about the picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from core.errors import InferenceError
from core.inference.byte_lru import ByteLru
from core.inference.families import family_of
from core.inference.render import PromptPicture

# Tokens of the pictures that are seen at once: less than one large picture has, so that they take no more memory.
MOST_TOGETHER = 2048


@dataclass(frozen=True, slots=True)
class Features:
    """`tokens`: (n, width), one row a placeholder. `deep`: the same for what some families add to later layers."""

    tokens: torch.Tensor
    deep: tuple[torch.Tensor, ...] = ()

    @property
    def bytes(self) -> int:
        """Memory that it holds."""
        return self.tokens.nbytes + sum(tensor.nbytes for tensor in self.deep)


class PictureEncoder:
    """Encodes pictures with the model's vision tower. A tenant only ever meets what was computed for it itself.

    The cache lives and dies with the model and its processor, so their revision and settings need not be in the key.
    Not thread-safe: the inference thread alone calls it.
    """

    def __init__(self, model: Any, device: torch.device, cache_bytes: int, together: bool | None = None) -> None:
        """`together`: whether several pictures are seen at once where the family can; by default on GPUs, which are
        not filled by one."""
        family = family_of(model.config.model_type)
        self._model = model.model
        self._look = family.look
        self._together = family.joins and (device.type == "cuda" if together is None else together)
        self._device = device
        self._dtype = model.dtype
        self.cache: ByteLru[tuple[str, str, tuple[int, ...]], Features] = ByteLru(cache_bytes)

    def __call__(self, tenant: str, picture: PromptPicture) -> Features:
        """Features of `picture`, remembered for `tenant` unless that is empty.

        Raises:
            InferenceError: the tower made another number of tokens of it than the processor announced.
        """
        if not tenant:
            return self._encode([picture])[0]
        key = _key(tenant, picture)
        features = self.cache.get(key)
        if features is None:
            features = self._encode([picture])[0]
            self.cache.put(key, features, features.bytes)
        return features

    def encode_together(self, asked: Sequence[tuple[str, PromptPicture]]) -> list[Features | None]:
        """Features of pictures, each for its tenant, seen at once. None where that was not done: the picture is then
        to be encoded alone, which also tells which one is at fault."""
        found: list[Features | None] = [None] * len(asked)
        if not self._together:
            return found
        unseen = [
            n for n, (tenant, picture) in enumerate(asked) if not tenant or _key(tenant, picture) not in self.cache
        ]
        for numbers in _groups(unseen, [picture for _, picture in asked]):
            try:
                made = self._encode([asked[number][1] for number in numbers])
            except Exception:
                continue
            for number, features in zip(numbers, made, strict=True):
                found[number] = features
                if tenant := asked[number][0]:
                    self.cache.get(key := _key(tenant, asked[number][1]))
                    self.cache.put(key, features, features.bytes)
        return found

    def _encode(self, pictures: Sequence[PromptPicture]) -> list[Features]:
        placed = {name: self._placed([picture.inputs[name] for picture in pictures]) for name in pictures[0].inputs}
        counts = [picture.tokens for picture in pictures]
        tokens, deep = self._look(self._model, placed, sum(counts))
        if len(tokens) != sum(counts):
            raise InferenceError(f"a picture of {sum(counts)} tokens became {len(tokens)}")
        if len(pictures) == 1:
            return [Features(tokens, deep)]
        # Copies: a part that is kept would keep the whole.
        parts = zip(*(layer.split(counts) for layer in (tokens, *deep)), strict=True)
        return [Features(of_one[0].clone(), tuple(layer.clone() for layer in of_one[1:])) for of_one in parts]

    def _placed(self, values: Sequence[torch.Tensor]) -> torch.Tensor:
        # First to the device, which is quicker at the rest.
        there = [value.to(self._device) for value in values]
        joined = torch.cat(there) if len(there) > 1 else there[0]
        return joined.to(self._dtype) if joined.is_floating_point() else joined


def _key(tenant: str, picture: PromptPicture) -> tuple[str, str, tuple[int, ...]]:
    # One file can be cut in more than one way: its neighbours in the prompt have a say in some families.
    return tenant, picture.key, tuple(next(iter(picture.inputs.values())).shape)


def _groups(numbers: Sequence[int], pictures: Sequence[PromptPicture]) -> Iterator[list[int]]:
    """`numbers` of pictures that can be seen at once, two or more, and no more tokens than `MOST_TOGETHER`."""
    group: list[int] = []
    tokens = 0
    for number in numbers:
        fits = group and _form(pictures[number]) == _form(pictures[group[0]])
        if not fits or tokens + pictures[number].tokens > MOST_TOGETHER:
            if len(group) > 1:
                yield group
            group, tokens = [], 0
        group.append(number)
        tokens += pictures[number].tokens
    if len(group) > 1:
        yield group


def _form(picture: PromptPicture) -> dict[str, torch.Size]:
    """What must be alike for tensors to be joined."""
    return {name: value.shape[1:] for name, value in picture.inputs.items()}
