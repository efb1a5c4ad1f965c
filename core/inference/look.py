"""Has a model's vision tower look at one picture."""

from collections.abc import Callable
from typing import Any

import torch

# (the model inside the one with a head, what the processor made of one picture, its number of placeholder tokens) to
# (tokens, width) and the same for what some families add to later layers.
Look = Callable[[Any, dict[str, torch.Tensor], int], tuple[torch.Tensor, tuple[torch.Tensor, ...]]]


def by_features(
    model: Any, inputs: dict[str, torch.Tensor], _tokens: int
) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """What nearly all models of transformers have a method for."""
    seen = model.get_image_features(**inputs, return_dict=True)
    deep = getattr(seen, "deepstack_features", None) or ()
    return _joined(seen.pooler_output), tuple(_joined(layer) for layer in deep)


def by_embedding(
    model: Any, inputs: dict[str, torch.Tensor], tokens: int
) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """Phi-4: only a module that puts pictures into the embeddings of a whole prompt; it gets one of placeholders."""
    place = model.embed_tokens_extend.image_embed
    width = model.config.hidden_size
    pixels = inputs["image_pixel_values"]
    ids = torch.full((1, tokens), model.config.vision_config.image_token_id, device=pixels.device)
    return place(ids, pixels.new_zeros(1, tokens, width), **inputs)[0], ()


def _joined(features: Any) -> torch.Tensor:
    """(n, width) of features that come as one tensor of any shape or as a list of them."""
    parts = features if isinstance(features, (list, tuple)) else [features]
    return torch.cat([part.reshape(-1, part.shape[-1]) for part in parts])
