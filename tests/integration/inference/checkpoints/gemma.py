"""Gemma."""

from typing import Any

import transformers as tf

from core.inference.processor import NoVideo, pictures_only
from tests.integration.inference.checkpoints.parts import CLIP, LLAMA_TOKENS, TEXT, tokenizer

GEMMA_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ m.role }}\n{% for c in m.content %}"
    "{% if c.type == 'image' %}<start_of_image>{% else %}{{ c.text }}{% endif %}{% endfor %}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)


def gemma3() -> tuple[Any, Any]:
    marks = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>", *marks.values()]
    words = tokenizer(
        special, unk_token="<unk>", pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", extra_special_tokens=marks
    )
    id = words.convert_tokens_to_ids
    kinds = ["sliding_attention", "full_attention"]
    text = TEXT | {"head_dim": 16, "vocab_size": len(words), "sliding_window": 32, "layer_types": kinds}
    config = tf.Gemma3Config(
        text_config=text | {"pad_token_id": 0, "eos_token_id": [1, id("<end_of_turn>")], "bos_token_id": 2},
        vision_config=CLIP | {"model_type": "siglip_vision_model", "num_hidden_layers": 2},
        mm_tokens_per_image=4,
        boi_token_index=id("<start_of_image>"),
        eoi_token_index=id("<end_of_image>"),
        image_token_index=id("<image_soft_token>"),
    )
    pixels = tf.Gemma3ImageProcessorPil(size={"height": 56, "width": 56})
    processor = tf.Gemma3Processor(
        image_processor=pixels, tokenizer=words, image_seq_length=4, chat_template=GEMMA_TEMPLATE
    )
    return config, processor


def _paligemma(**text: Any) -> tuple[Any, Any]:
    # The image processor of the checkpoints says how many tokens a picture has.
    pixels: Any = tf.SiglipImageProcessorPil(size={"height": 56, "width": 56})
    pixels.image_seq_length = 16
    words = tokenizer(LLAMA_TOKENS, unk_token="<unk>", pad_token="<pad>", eos_token="</s>", bos_token="<s>")
    processor = tf.PaliGemmaProcessor(image_processor=pixels, tokenizer=words)
    # It added words for places to the tokenizer.
    shape = TEXT | {"head_dim": 16, "vocab_size": len(words), "pad_token_id": 3, "bos_token_id": 1, "eos_token_id": 2}
    config = tf.PaliGemmaConfig(
        text_config=shape | text,
        vision_config=CLIP | {"model_type": "siglip_vision_model", "num_hidden_layers": 2, "projection_dim": 64},
        image_token_index=words.convert_tokens_to_ids("<image>"),
        projection_dim=64,
        hidden_size=64,
    )
    return config, processor


def paligemma() -> tuple[Any, Any]:
    return _paligemma(model_type="gemma")


def paligemma2() -> tuple[Any, Any]:
    """Its language model looks back through windows and bends its scores."""
    kinds = ["sliding_attention", "full_attention"]
    return _paligemma(model_type="gemma2", sliding_window=32, layer_types=kinds, query_pre_attn_scalar=16)


def gemma4() -> tuple[Any, Any]:
    marks = {"boi_token": "<|image>", "eoi_token": "<image|>", "image_token": "<|image|>", "boa_token": "<|audio>"}
    marks |= {"eoa_token": "<audio|>", "audio_token": "<|audio|>"}
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<|turn>", "<turn|>", "<|video|>", *marks.values()]
    words = tokenizer(
        special, unk_token="<unk>", pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", extra_special_tokens=marks
    )
    id = words.convert_tokens_to_ids
    text: dict[str, Any] = TEXT | {
        "head_dim": 16,
        "global_head_dim": 16,
        "vocab_size": len(words),
        "sliding_window": 32,
    }
    text |= {"layer_types": ["sliding_attention", "full_attention"], "hidden_size_per_layer_input": 8}
    tower = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    tower |= {"num_key_value_heads": 2, "head_dim": 16, "position_embedding_size": 256, "pooling_kernel_size": 2}
    config = tf.Gemma4Config(
        text_config=text
        | {"vocab_size_per_layer_input": len(words), "pad_token_id": 0, "bos_token_id": 2}
        | {"eos_token_id": [1, id("<turn|>")]},
        vision_config=tower | {"patch_size": 16, "default_output_length": 70},
        audio_config=None,
        boi_token_id=id("<|image>"),
        eoi_token_id=id("<image|>"),
        image_token_id=id("<|image|>"),
        video_token_id=id("<|video|>"),
        audio_token_id=id("<|audio|>"),
    )
    processor = pictures_only(tf.Gemma4Processor)(
        feature_extractor=tf.Gemma4AudioFeatureExtractor(),
        image_processor=tf.Gemma4ImageProcessorPil(max_soft_tokens=70, pooling_kernel_size=2),
        tokenizer=words,
        video_processor=NoVideo(),
        chat_template=GEMMA_TEMPLATE.replace("<start_of_turn>", "<|turn>")
        .replace("<end_of_turn>", "<turn|>")
        .replace("<start_of_image>", "<|image|>"),
    )
    return config, processor
