"""Tiny checkpoints with random weights, one for each family, saved as a real one would be.

They prove that the code path of a family is right; they know nothing. Weights are enlarged so that the next token
depends on the picture.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as tf

from core.inference import families as known
from tests.integration.inference.checkpoints import gemma, glm, llava, qwen, smol, tiled

# By how much random weights are enlarged, where the usual factor makes all answers alike.
ENLARGED = {"internvl": 6.0, "gemma3": 2.0, "paligemma": 12.0, "lfm2_vl": 6.0}

FAMILIES: dict[str, Callable[[], tuple[Any, Any]]] = {
    family.__name__: family
    for family in (
        glm.glm4v,
        glm.glm46v,
        glm.glm_ocr,
        glm.glm4v_moe,
        qwen.qwen2_vl,
        qwen.qwen2_5_vl,
        qwen.qwen3_vl,
        llava.llava,
        llava.llava_next,
        smol.smolvlm,
        smol.idefics3,
        llava.internvl,
        gemma.paligemma,
        tiled.phi4_multimodal,
        glm.glm4_moe_lite,
        gemma.gemma3,
        gemma.gemma4,
        gemma.paligemma2,
        tiled.lfm2_vl,
        glm.glm5_next,
        llava.vipllava,
    )
}
TEXT_ONLY = ("glm4_moe_lite",)
# The others are computed one by one.
BATCHED = [name for name in FAMILIES if name in known.FAMILIES and known.FAMILIES[name].batched]


def save_checkpoint(family: str, folder: Path, **text: Any) -> Path:
    """Write a tiny checkpoint of `family` into `folder` and return it. `text` goes into its language model's shape."""
    config, processor = FAMILIES[family]()
    for name, value in text.items():
        setattr(config.get_text_config(), name, value)
    torch.manual_seed(0)
    kind: Any = tf.AutoModelForCausalLM if family in TEXT_ONLY else tf.AutoModelForMultimodalLM
    model = kind.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() >= 2:
                parameter.mul_(ENLARGED.get(family, 4.0))
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
