"""GLM."""

from typing import Any

import transformers as tf

from tests.integration.inference.checkpoints.parts import TEXT, seeing, tokenizer

GLM_TOKENS = ["<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>"]
GLM_TOKENS += [
    "<|begin_of_image|>",
    "<|end_of_image|>",
    "<|begin_of_video|>",
    "<|end_of_video|>",
    "<|image|>",
    "<|video|>",
]
GLM_WORDS = ["<think>", "</think>", "/nothink", "<|begin_of_box|>", "<|end_of_box|>"]
GLM_TEMPLATE = (
    "[gMASK]<sop>{% for m in messages %}<|{{ m.role }}|>\n"
    "{% if m.content is string %}{{ m.content }}{% else %}{% for c in m.content %}"
    "{% if c.type == 'image' %}<|begin_of_image|><|image|><|end_of_image|>{% else %}{{ c.text }}{% endif %}"
    "{% endfor %}{% endif %}"
    "{% if m.role == 'user' and enable_thinking is defined and not enable_thinking %}/nothink{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think></think>\n{% endif %}{% endif %}"
)


def _glm(config_class: Any, image_processor: Any, processor_class: Any, **text: Any) -> tuple[Any, Any]:
    words = tokenizer(GLM_TOKENS, GLM_WORDS, pad_token="<|endoftext|>", eos_token="<|endoftext|>")
    id = words.convert_tokens_to_ids
    rope = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5, "mrope_section": [2, 1, 1]}
    shape = TEXT | {"vocab_size": len(words), "pad_token_id": 0, "rope_parameters": rope} | text
    config = config_class(
        text_config=shape | {"eos_token_id": [id("<|endoftext|>"), id("<|user|>")]},
        vision_config={"depth": 2, "hidden_size": 32, "num_heads": 2, "out_hidden_size": 64, "intermediate_size": 48}
        | {"image_size": 56},
        image_token_id=id("<|image|>"),
        video_token_id=id("<|video|>"),
        image_start_token_id=id("<|begin_of_image|>"),
        image_end_token_id=id("<|end_of_image|>"),
        video_start_token_id=id("<|begin_of_video|>"),
        video_end_token_id=id("<|end_of_video|>"),
    )
    pixels = image_processor(size={"shortest_edge": 28 * 28 * 2, "longest_edge": 28 * 28 * 2 * 12})
    return config, seeing(processor_class, pixels, words, GLM_TEMPLATE)


def glm4v() -> tuple[Any, Any]:
    return _glm(tf.Glm4vConfig, tf.Glm4vImageProcessorPil, tf.Glm4vProcessor)


def glm46v() -> tuple[Any, Any]:
    return _glm(tf.Glm46VConfig, tf.Glm46VImageProcessorPil, tf.Glm46VProcessor)


def glm_ocr() -> tuple[Any, Any]:
    return _glm(tf.GlmOcrConfig, tf.Glm46VImageProcessorPil, tf.Glm46VProcessor)


def glm4v_moe() -> tuple[Any, Any]:
    experts = {"moe_intermediate_size": 32, "n_routed_experts": 4, "num_experts_per_tok": 2, "n_group": 1}
    experts |= {"topk_group": 1, "n_shared_experts": 1, "first_k_dense_replace": 1}
    return _glm(tf.Glm4vMoeConfig, tf.Glm4vImageProcessorPil, tf.Glm4vProcessor, **experts)


def glm4_moe_lite() -> tuple[Any, Any]:
    words = tokenizer(GLM_TOKENS, GLM_WORDS, pad_token="<|endoftext|>", eos_token="<|endoftext|>")
    words.chat_template = GLM_TEMPLATE
    kind: Any = tf.Glm4MoeLiteConfig
    config = kind(
        **(TEXT | {"num_key_value_heads": 4}),
        vocab_size=len(words),
        moe_intermediate_size=32,
        n_routed_experts=4,
        num_experts_per_tok=2,
        kv_lora_rank=16,
        q_lora_rank=24,
        qk_rope_head_dim=8,
        qk_nope_head_dim=16,
        v_head_dim=16,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=[0, words.convert_tokens_to_ids("<|user|>")],
    )
    return config, words


def glm5_next() -> tuple[Any, Any]:
    words = tokenizer(GLM_TOKENS, GLM_WORDS, pad_token="<|endoftext|>", eos_token="<|endoftext|>")
    id = words.convert_tokens_to_ids
    experts = {"moe_intermediate_size": 32, "n_routed_experts": 4, "num_experts_per_tok": 2}
    latent = {"kv_lora_rank": 16, "q_lora_rank": 24, "v_head_dim": 16, "qk_nope_head_dim": 16}
    linear = {"linear_head_dim": 16, "linear_num_heads": 4}
    index = {"index_topk": 32, "index_head_dim": 16, "index_n_heads": 2, "index_kpool": 4}
    shape: dict[str, Any] = TEXT | experts | latent | linear | index | {"num_key_value_heads": 4}
    shape |= {"layer_types": ["linear_attention", "indexed_attention"], "mlp_layer_types": ["dense", "sparse"]}
    config = tf.Glm5NextConfig(
        text_config=shape
        | {"vocab_size": len(words), "pad_token_id": 0, "eos_token_id": [id("<|endoftext|>"), id("<|user|>")]},
        vision_config={"depth": 2, "hidden_size": 32, "num_heads": 2, "out_hidden_size": 64, "intermediate_size": 48}
        | {"image_size": 56, "projection_intermediate_size": 64},
        image_token_id=id("<|image|>"),
        video_token_id=id("<|video|>"),
        image_start_token_id=id("<|begin_of_image|>"),
        image_end_token_id=id("<|end_of_image|>"),
        video_start_token_id=id("<|begin_of_video|>"),
        video_end_token_id=id("<|end_of_video|>"),
    )
    cut: Any = tf.Glm5NextImageProcessorPil
    pixels = cut(min_image_tokens=2, max_image_tokens=12)
    return config, seeing(tf.Glm5NextProcessor, pixels, words, GLM_TEMPLATE)
