"""From a picture's patches to what the language model reads of it, kept for the next question about the picture."""

from dataclasses import dataclass
from typing import Any

import torch

from core.errors import InferenceError
from core.inference.byte_lru import ByteLru
from core.inference.families import family_of
from core.inference.render import PromptPicture


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

    def __init__(self, model: Any, device: torch.device, cache_bytes: int) -> None:
        self._model = model.model
        self._look = family_of(model.config.model_type).look
        self._device = device
        self._dtype = model.dtype
        self.cache: ByteLru[tuple[str, str, tuple[int, ...]], Features] = ByteLru(cache_bytes)

    def __call__(self, tenant: str, picture: PromptPicture) -> Features:
        """Features of `picture`, remembered for `tenant` unless that is empty.

        Raises:
            InferenceError: the tower made another number of tokens of it than the processor announced.
        """
        if not tenant:
            return self._encode(picture)
        # One file can be cut in more than one way: its neighbours in the prompt have a say in some families.
        key = (tenant, picture.key, tuple(next(iter(picture.inputs.values())).shape))
        features = self.cache.get(key)
        if features is None:
            features = self._encode(picture)
            self.cache.put(key, features, features.bytes)
        return features

    def _encode(self, picture: PromptPicture) -> Features:
        inputs = {
            name: value.to(self._device, self._dtype if value.is_floating_point() else None)
            for name, value in picture.inputs.items()
        }
        tokens, deep = self._look(self._model, inputs, picture.tokens)
        if len(tokens) != picture.tokens:
            raise InferenceError(f"a picture of {picture.tokens} tokens became {len(tokens)}")
        return Features(tokens, deep)
