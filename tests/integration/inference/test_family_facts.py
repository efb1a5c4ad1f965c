"""What the table of families says is so: pixels, tokens, names of modules."""

import re
from typing import Any

import pytest
import torch
import transformers as tf
from transformers.quantizers.quantizers_utils import should_convert_module

from core.inference.batch import BatchStepper
from core.inference.families import FAMILIES as KNOWN
from core.inference.families import can_batch, family_of, steady_tokens
from core.inference.loader import load_model
from core.inference.pixel_budget import PIXEL_BUDGET, fixed
from core.inference.port import Message
from core.inference.quantise import divide
from core.inference.stepper import RoundRobinStepper
from core.inference.tiles_lfm2 import Lfm2VlImageProcessor
from core.inference.tiles_phi4 import Phi4MultimodalImageProcessor
from core.settings import load_settings
from tests.integration.inference.checkpoints import BATCHED, FAMILIES, TEXT_ONLY
from tests.integration.inference.conftest import CheckpointOf, EngineOf, noise

SEEING = [family for family in FAMILIES if family not in TEXT_ONLY]
# Image processors with the settings that they have by themselves: those of the models of full size, or larger.
FULL_SIZE: dict[str, Any] = {
    "glm4v": tf.Glm4vImageProcessorPil,
    "glm46v": tf.Glm46VImageProcessorPil,
    "glm4v_moe": tf.Glm4vImageProcessorPil,
    "glm_ocr": tf.Glm46VImageProcessorPil,
    "glm5_next": tf.Glm5NextImageProcessorPil,
    "qwen2_vl": tf.Qwen2VLImageProcessorPil,
    "qwen2_5_vl": tf.Qwen2VLImageProcessorPil,
    "qwen3_vl": tf.Qwen2VLImageProcessorPil,
    "llava": tf.CLIPImageProcessorPil,
    "llava_next": tf.LlavaNextImageProcessorPil,
    "smolvlm": tf.SmolVLMImageProcessorPil,
    "idefics3": tf.Idefics3ImageProcessorPil,
    "internvl": tf.GotOcr2ImageProcessorPil,
    "paligemma": tf.SiglipImageProcessorPil,
    "phi4_multimodal": Phi4MultimodalImageProcessor,
    "gemma3": tf.Gemma3ImageProcessorPil,
    "gemma4": tf.Gemma4ImageProcessorPil,
    "lfm2_vl": Lfm2VlImageProcessor,
}


def test_every_family_is_here() -> None:
    assert set(FULL_SIZE) == set(KNOWN) - set(TEXT_ONLY)
    assert set(KNOWN) <= set(FAMILIES)


@pytest.mark.parametrize("family", FULL_SIZE)
def test_pictures_stay_within_a_budget(family: str) -> None:
    budget = PIXEL_BUDGET // 2
    processor = FULL_SIZE[family]()
    if family == "internvl":
        processor.crop_to_patches, processor.size = True, {"height": 448, "width": 448}
    limit = KNOWN[family].limit
    assert limit is not None
    limit(processor, budget)
    picture = torch.zeros(3, 1700, 1700, dtype=torch.uint8)
    made = processor(picture, return_tensors="pt")
    seen = made["image_pixel_values" if family == "phi4_multimodal" else "pixel_values"].numel() // 3
    if "image_grid_thw" in made:
        # These hold a still picture twice, as if it were a film.
        seen //= processor.temporal_patch_size
    # Besides tiles there is all of the picture, small.
    spare = 512 * 512 if family in ("smolvlm", "idefics3", "internvl", "phi4_multimodal", "lfm2_vl") else 0
    # Sides are rounded to tiles, so a little more is right.
    assert seen <= 1.2 * budget + spare
    assert seen > budget / 2 or limit is fixed


def test_a_budget_never_enlarges() -> None:
    for family, kind in FULL_SIZE.items():
        before, after = kind(), kind()
        limit = KNOWN[family].limit
        assert limit is not None
        limit(after, 10**12)
        assert after.to_dict() == before.to_dict(), family


@pytest.mark.parametrize("family", [family for family in SEEING if family_of(family).counts])
def test_the_processor_knows_how_many_tokens_a_picture_has(engine_of: EngineOf, family: str) -> None:
    engine = engine_of(family)
    for width, height in [(56, 56), (84, 56), (30, 200), (300, 31), (1, 90), (500, 7)]:
        prompt = engine._renderer([Message("user", "What?", (noise(width, height),))])
        assert engine._counter._announced(width, height) == engine._counter._measure(width, height), (width, height)
        assert prompt.picture_tokens <= engine._counter._announced(width, height)


# Linear layers between the projections of attention and of feed-forward, which weigh what those made.
GATES = re.compile(r"(indexer|forget_gate)\.|\.(b_proj|g_a_proj|g_b_proj)$|per_layer_")
CHOOSERS = re.compile(r"(indexer|forget_gate|router)\.|\.mlp\.gate$")


def linear_layers(model: Any) -> tuple[set[str], set[str]]:
    """All linear layers of `model`, and those of its language model: the ones that four words run through."""
    layers = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    used: set[str] = set()
    handles = [
        module.register_forward_pre_hook(lambda _module, _args, name=name: used.add(name))
        for name, module in layers.items()
    ]
    with torch.inference_mode():
        model(input_ids=torch.tensor([[5, 6, 7, 8]], device=model.device), use_cache=False)
    for handle in handles:
        handle.remove()
    return set(layers), used


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_quantised_and_what_a_lora_is_trained_on(checkpoint: CheckpointOf, family: str) -> None:
    # Not an engine's, which has packed its linear layers where that pays.
    model = load_model(load_settings(_env_file=None, model=str(checkpoint(family)), device="cpu")).model
    facts = family_of(model.config.model_type)
    every, language = linear_layers(model)
    assert language < every or family in TEXT_ONLY
    quantised = {name for name in every if should_convert_module(name, list(facts.quantisation_skips))}
    assert quantised == {name for name in language if name != "lm_head" and not CHOOSERS.search(name)}
    assert set(divide(model)[0]) == quantised
    targets = {name for name, _ in model.named_modules() if re.fullmatch(facts.lora_targets, name)}
    assert targets == {name for name in language if name != "lm_head" and not GATES.search(name)}
    # Nothing but the language model's attention and feed-forward, in every layer of it.
    numbers = {match[1] for name in targets if (match := re.search(r"\.layers\.(\d+)\.", name))}
    assert len(numbers) == model.config.get_text_config().num_hidden_layers


@pytest.mark.parametrize(
    ("text", "context", "batched"),
    [
        ({}, 2048, True),
        ({"sliding_window": 512}, 2048, False),
        ({"sliding_window": 4096}, 2048, True),
        ({"sliding_window": 512, "layer_types": ["full_attention"] * 2}, 2048, True),
        ({"sliding_window": 512, "layer_types": ["full_attention", "sliding_attention"]}, 2048, False),
        ({"final_logit_softcapping": 30.0}, 2048, False),
        ({"attn_logit_softcapping": 50.0}, 2048, False),
    ],
)
def test_a_language_model_that_looks_through_windows_is_not_batched(
    text: dict[str, Any], context: int, batched: bool
) -> None:
    config, _ = FAMILIES["llava"]()
    for name, value in text.items():
        setattr(config.text_config, name, value)
    assert can_batch(config, context) is batched


def test_positions_that_turn_by_other_angles_later() -> None:
    config, _ = FAMILIES["phi4_multimodal"]()
    assert steady_tokens(config) == 2048
    config.rope_parameters = {"rope_type": "longrope", "original_max_position_embeddings": 512}
    assert steady_tokens(config) == 512
    config.rope_parameters = {"rope_type": "longrope"}
    config.original_max_position_embeddings = 256
    assert steady_tokens(config) == 256
    config.rope_parameters = {"rope_type": "yarn", "original_max_position_embeddings": 512}
    assert steady_tokens(config) == 2048


def test_which_are_computed_together(engine_of: EngineOf) -> None:
    for family in FAMILIES:
        kind = BatchStepper if family in BATCHED else RoundRobinStepper
        assert type(engine_of(family)._stepper) is kind, family
