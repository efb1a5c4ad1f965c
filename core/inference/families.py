"""What differs between families of models, by `config.model_type`: facts, looked up and nowhere else spelled out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.inference import phi4
from core.inference import pixel_budget as budget
from core.inference import split as take
from core.inference.look import Look, by_embedding, by_features

# Everything that belongs to seeing or to hearing, by the names that transformers gives it in these families.
_SENSES = (
    "visual|vision_tower|vision_model|vision_encoder|vision_embedding|multi_modal_projector|connector|"
    "embed_vision|embed_audio|audio_tower|embed_tokens_extend"
)
# Heads, and what chooses experts or what to look at: small, and the last to bear rounding.
_PRECISE = ("lm_head", r".*\.(mlp\.gate|router|indexer|forget_gate)")
# Projections of attention (grouped, fused, latent or linear) and of dense and shared feed-forward layers.
_PROJECTIONS = (
    "q_proj|k_proj|v_proj|o_proj|qkv_proj|out_proj|in_proj|q_a_proj|q_b_proj|kv_a_proj_with_mqa|kv_b_proj|"
    "gate_proj|up_proj|down_proj|gate_up_proj|w1|w2|w3"
)

# PaliGemma comes without one: it was trained on a picture and one line. All pictures first, as its processor wants it;
# what was said before is lines above the question.
_PALIGEMMA = (
    "{% for m in messages %}{% for c in m.content %}{% if c.type == 'image' %}<image>{% endif %}"
    "{% endfor %}{% endfor %}"
    "{% for m in messages %}{% for c in m.content %}{% if c.type == 'text' %}{{ c.text }}{% endif %}{% endfor %}"
    "{% if not loop.last %}{{ '\\n' }}{% endif %}{% endfor %}"
)


@dataclass(frozen=True, slots=True)
class Family:
    """How one family is served.

    `split` takes the processor's output apart by pictures; None for a family whose sequences are computed one by one.
    `look` has the vision tower see one picture. `joins`: or several, where what the processor made of them is joined;
    what comes out is joined then. `causal`: no token of a prompt sees those behind it; only then can a
    prompt be read in chunks, and its beginning be kept for the next. `first_position`: of the first token. `limit`
    keeps pictures within a budget of pixels, None where nothing is known of the processor. `counts`: what
    `processor._get_num_multimodal_tokens` says of a picture is right. `template`: the chat template where checkpoints
    have none. `bare`: how a prompt without pictures is written, where the processor takes none. `prepare`: what is done
    to a model after loading, given the checkpoint's folder. `box_pixels`: boxes written as JSON are in
    pixels of the picture as the model sees it, not in thousandths.

    `quantisation_skips`: patterns of modules that keep their precision, as transformers' `modules_to_not_convert` takes
    them. `lora_targets`: a regular expression for whole names of the linear layers that a LoRA is trained on, those
    of the language model alone. Experts are no linear layers in transformers, so neither means them.
    """

    split: take.Split | None = None
    look: Look = by_features
    joins: bool = False
    causal: bool = True
    first_position: int = 0
    limit: budget.Limit | None = None
    counts: bool = False
    template: str = ""
    bare: str = ""
    prepare: Callable[[Any, Path], None] | None = None
    box_pixels: bool = False
    quantisation_skips: tuple[str, ...] = (*_PRECISE, rf"(.*\.)?({_SENSES})")
    lora_targets: str = rf"(?!(.*\.)?({_SENSES})\.).*\.({_PROJECTIONS})"

    @property
    def batched(self) -> bool:
        """Whether many of its sequences take part in one step."""
        return self.split is not None


_GLM = Family(take.by_grid, joins=True, limit=budget.area(2), counts=True)
_QWEN = Family(take.by_grid, joins=True, limit=budget.area(1), counts=True)
_SMOL = Family(take.by_last_tile, limit=budget.side)
_FIXED = Family(limit=budget.fixed, counts=True)

FAMILIES: dict[str, Family] = {
    "glm4v": _GLM,
    "glm46v": _GLM,
    "glm4v_moe": _GLM,
    "glm_ocr": _GLM,
    "qwen2_vl": _QWEN,
    "qwen2_5_vl": Family(take.by_grid, joins=True, limit=budget.area(1), counts=True, box_pixels=True),
    "qwen3_vl": _QWEN,
    "llava": Family(take.by_share, joins=True, limit=budget.fixed, counts=True),
    "llava_next": Family(take.by_run, limit=budget.fixed, counts=True),
    "smolvlm": _SMOL,
    "idefics3": _SMOL,
    "internvl": Family(take.by_tiles, joins=True, limit=budget.tiles("max_patches", budget.sized)),
    "paligemma": Family(
        take.by_share,
        joins=True,
        causal=False,
        first_position=1,
        limit=budget.fixed,
        counts=True,
        template=_PALIGEMMA,
        bare="{bos}{text}\n",
    ),
    "phi4_multimodal": Family(
        take.by_shown_tiles,
        look=by_embedding,
        limit=budget.tiles("dynamic_hd", budget.sized),
        prepare=phi4.prepare,
    ),
    "glm4_moe_lite": Family(take.none),
    # Windows or states besides keys and values: one by one.
    "gemma3": _FIXED,
    "gemma4": _FIXED,
    "lfm2_vl": Family(limit=budget.tiles("max_tiles", lambda processor: int(processor.tile_size) ** 2)),
    "glm5_next": Family(limit=budget.tokens, counts=True),
}
# Right for everything that transformers loads, one sequence at a time.
_ANY = Family()


def family_of(model_type: str) -> Family:
    """The family of a model by its configuration's `model_type`; what is not known is served one by one."""
    return FAMILIES.get(model_type, _ANY)


def can_batch(config: Any, context_tokens: int) -> bool:
    """Whether sequences of up to `context_tokens` of a model with this configuration take part in common steps.

    A family may say so, and the language model inside still look back through a window, or bend its scores, as
    PaliGemma 2's does: attention in steps knows neither.
    """
    text = config.get_text_config()
    window = getattr(text, "sliding_window", None) or context_tokens
    kinds = set(getattr(text, "layer_types", None) or ())
    windowed = "sliding_attention" in kinds or not kinds
    bent = any(getattr(text, f"{where}_logit_softcapping", None) for where in ("attn", "final"))
    return family_of(config.model_type).batched and not bent and not (windowed and window < context_tokens)


def steady_tokens(text_config: Any) -> int:
    """How many tokens a sequence may have, by the language model's configuration.

    Some turn positions by other angles once a sequence is longer than those of their first training. Keys from before
    that do not fit those from after, and others in the same step would change with it, so they stay below.
    """
    longest = int(text_config.max_position_embeddings)
    rope = getattr(text_config, "rope_parameters", None) or {}
    if rope.get("rope_type") not in ("longrope", "dynamic"):
        return longest
    original = rope.get("original_max_position_embeddings")
    return min(longest, int(original or getattr(text_config, "original_max_position_embeddings", None) or longest))
