"""The model as it is trained: the weights of a `Glm4vForConditionalGeneration`, under its names, on a faster path.

All pictures of a batch go through the vision tower at once, padded to one size, and both frames of a picture, which
are equal, as one. No transformers here, so that training starts fast and on machines that lack it;
`tests/integration/inference/test_demo_training.py` holds both to the same result.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .encode import IGNORE
from .helper import CLASSES, SLOTS
from .language import Text
from .layers import Shape
from .memory import Memory
from .vision import Vision


class _Body(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.visual = Vision(shape)
        self.language_model = Text(shape)


class Network(nn.Module):
    """Vision tower, language model and the helper head that is left out of what is shipped."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape, self.compiled = shape, False
        self.model = _Body(shape)
        self.helper = nn.Linear(shape.width, SLOTS * CLASSES[0] + CLASSES[1] + CLASSES[2])
        for name, value in self.named_parameters():
            if value.ndim > 1:
                nn.init.normal_(value, std=0.04)
            elif name.endswith("bias"):
                nn.init.zeros_(value)

    def compile_blocks(self) -> None:
        """Compile each layer; all of a kind share the code, so this takes seconds and not minutes."""
        self.compiled = True
        for layer in (*self.model.visual.blocks, *self.model.language_model.layers):
            layer.compile(dynamic=False)

    def see(self, batch: dict[str, Tensor]) -> Tensor:
        """Features of all pictures, (P, 64, width)."""
        features: Tensor = self.model.visual(batch["pixels"], batch["grid"].long())
        return features

    def helper_loss(self, features: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """How badly the image tokens name what lies in them. "Nothing" counts little, since it is nearly everywhere."""
        scores = self.helper(features).float()
        letters, names, colours = scores.split([SLOTS * CLASSES[0], CLASSES[1], CLASSES[2]], dim=-1)
        targets = (batch["glyphs"].long(), batch["marks"][..., 0].long(), batch["marks"][..., 1].long())
        parts = (letters.reshape(*letters.shape[:2], SLOTS, -1), names, colours)
        total: Tensor = scores.new_zeros(())
        for part, target, classes in zip(parts, targets, CLASSES, strict=True):
            weight = torch.ones(classes, device=scores.device)
            weight[-1] = 0.1
            total = total + F.cross_entropy(part.flatten(0, -2), target.flatten(), weight, ignore_index=-1)
        return total

    def answer_loss(self, features: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Mean loss over the tokens of answers, and the share of them that is guessed right."""
        hidden = self.read(features, batch).flatten(0, 1)[batch["at"].long()]
        scores = F.linear(hidden, self.model.language_model.embed_tokens.weight).float()
        target = batch["target"].long()
        loss = F.cross_entropy(scores, target, ignore_index=IGNORE)
        known = target != IGNORE
        right = ((scores.argmax(-1) == target) & known).sum() / known.sum()
        return loss, right

    def read(self, features: Tensor, batch: dict[str, Tensor], memories: Sequence[Memory] | None = None) -> Tensor:
        """Last hidden states of all tokens, (B, L, width); with `memories`, to go on from with `read_on`."""
        language = self.model.language_model
        embedded = language.embed_tokens(batch["ids"].long()).to(features.dtype)
        # One row behind the last takes the image tokens that are none.
        flat = torch.cat((embedded.flatten(0, 1), embedded.new_zeros(1, embedded.shape[-1])))
        flat = flat.index_copy(0, batch["place"].long().flatten(), features.flatten(0, 1))
        out: Tensor = language(flat[:-1].view_as(embedded), batch["positions"], memories)
        return out

    def read_on(self, tokens: Tensor, positions: Tensor, at: Tensor, memories: Sequence[Memory]) -> Tensor:
        """Last hidden states, (B, width), of one more token of each row: at places `at`, positions (B, 3)."""
        language = self.model.language_model
        embedded = language.embed_tokens(tokens)[:, None]
        out: Tensor = language(embedded, positions[..., None], memories, at)
        return out[:, 0]
