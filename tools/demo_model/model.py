"""The model: a Glm4v of about 3.5 million parameters, and its loss over a batch."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from transformers import Glm4vConfig, Glm4vForConditionalGeneration, PreTrainedTokenizerFast

from .data import IGNORE, Batch
from .pixels import to_patches
from .tower import HIDDEN, HelperHead, features, vision_config
from .vocabulary import MAX_TOKENS

HELPER_WEIGHT = 0.3


def build_config(tokenizer: PreTrainedTokenizerFast) -> Glm4vConfig:
    """The configuration that is trained and shipped; token ids come from `tokenizer`."""
    token: Any = tokenizer.convert_tokens_to_ids
    return Glm4vConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": HIDDEN,
            "intermediate_size": 512,
            "num_hidden_layers": 4,
            "num_attention_heads": 6,
            "num_key_value_heads": 2,
            "max_position_embeddings": MAX_TOKENS,
            "initializer_range": 0.04,
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": [token("<|endoftext|>"), token("<|user|>")],
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "partial_rotary_factor": 0.5,
                "mrope_section": [2, 3, 3],
            },
        },
        vision_config=vision_config().to_dict(),
        image_token_id=token("<|image|>"),
        video_token_id=token("<|video|>"),
        image_start_token_id=token("<|begin_of_image|>"),
        image_end_token_id=token("<|end_of_image|>"),
        video_start_token_id=token("<|begin_of_video|>"),
        video_end_token_id=token("<|end_of_video|>"),
        tie_word_embeddings=True,
    )


class Trainee(nn.Module):
    """The model with the helper head that training adds to its vision tower."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        super().__init__()
        self.glm = Glm4vForConditionalGeneration(build_config(tokenizer))
        self.head = HelperHead()
        self._compiled_for: tuple[int, int] | None = None

    def hold_tower(self, held: bool) -> None:
        """Keep the vision tower as it is (`held`), or let it learn again. Held, a step costs a third less,
        and the language model learns to read features that stand still."""
        for part in (self.glm.model.visual, self.head):
            part.requires_grad_(not held)

    def compile_for(self, shape: tuple[int, int]) -> None:
        """Compile the language model for batches of `shape` (B, L), the common one; other shapes
        take the plain path, since compiling for each costs more than it saves. Needs a C++ compiler."""
        self._compiled_for = shape
        self.glm.model.language_model.compile(dynamic=False)

    def forward(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Total loss, answer loss, and the share of answer tokens guessed right."""
        core = self.glm.model
        embeds = core.language_model.embed_tokens(batch.ids)
        helper = embeds.new_zeros(())
        if batch.pixels is not None and batch.targets is not None:
            tokens = features(core.visual, to_patches(batch.pixels), batch.grid)
            helper = self.head.loss(tokens, batch.targets)
            place = (batch.ids == self.glm.config.image_token_id).unsqueeze(-1)
            embeds = embeds.masked_scatter(place, tokens.to(embeds.dtype))
        language = core.language_model
        # `forward` itself goes past the compiled call.
        run = language if tuple(batch.ids.shape) == self._compiled_for else language.forward
        hidden = run(inputs_embeds=embeds, position_ids=batch.positions, use_cache=False).last_hidden_state
        wanted = batch.labels[:, 1:]
        at = wanted != IGNORE
        scores = self.glm.lm_head(hidden[:, :-1][at]).float()
        answers = F.cross_entropy(scores, wanted[at])
        right = (scores.argmax(-1) == wanted[at]).float().mean()
        return answers + HELPER_WEIGHT * helper, answers.detach(), right
