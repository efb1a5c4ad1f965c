"""Qwen."""

from typing import Any

import transformers as tf

from tests.integration.inference.checkpoints.parts import TEXT, seeing, tokenizer

QWEN_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
QWEN_TOKENS += ["<|image_pad|>", "<|video_pad|>", "<|object_ref_start|>", "<|object_ref_end|>"]
QWEN_TOKENS += ["<|box_start|>", "<|box_end|>"]
# Says something of its own when nobody gives it a system message, as Qwen2-VL's does.
QWEN_TEMPLATE = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for c in m.content %}"
    "{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def _qwen(
    config_class: Any, processor_class: Any, vision: dict[str, Any], *, patch: int = 14, **text: Any
) -> tuple[Any, Any]:
    words = tokenizer(QWEN_TOKENS, pad_token="<|endoftext|>", eos_token="<|im_end|>")
    id = words.convert_tokens_to_ids
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}
    shape = TEXT | {"vocab_size": len(words), "pad_token_id": 0, "bos_token_id": None, "rope_parameters": rope} | text
    config = config_class(
        text_config=shape | {"eos_token_id": id("<|im_end|>")},
        vision_config={"depth": 2, "num_heads": 2} | vision,
        image_token_id=id("<|image_pad|>"),
        video_token_id=id("<|video_pad|>"),
        vision_start_token_id=id("<|vision_start|>"),
        vision_end_token_id=id("<|vision_end|>"),
    )
    area = (2 * patch) ** 2
    pixels = tf.Qwen2VLImageProcessorPil(patch_size=patch, size={"shortest_edge": area, "longest_edge": area * 12})
    return config, seeing(processor_class, pixels, words, QWEN_TEMPLATE)


def qwen2_vl() -> tuple[Any, Any]:
    return _qwen(tf.Qwen2VLConfig, tf.Qwen2VLProcessor, {"embed_dim": 32, "hidden_size": 64, "mlp_ratio": 2})


def qwen2_5_vl() -> tuple[Any, Any]:
    vision = {"hidden_size": 32, "intermediate_size": 48, "out_hidden_size": 64}
    windows = {"fullatt_block_indexes": [1], "window_size": 56}
    return _qwen(tf.Qwen2_5_VLConfig, tf.Qwen2_5_VLProcessor, vision | windows)


def qwen3_vl() -> tuple[Any, Any]:
    vision = {"hidden_size": 32, "intermediate_size": 48, "out_hidden_size": 64}
    more = {"num_position_embeddings": 64, "deepstack_visual_indexes": [0]}
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3], "mrope_interleaved": True}
    return _qwen(tf.Qwen3VLConfig, tf.Qwen3VLProcessor, vision | more, patch=16, head_dim=16, rope_parameters=rope)
