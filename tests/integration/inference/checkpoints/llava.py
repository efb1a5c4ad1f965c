"""LLaVA and what is built like it."""

from typing import Any

import transformers as tf

from core.inference.processor import NoVideo, pictures_only
from tests.integration.inference.checkpoints.parts import CLIP, LLAMA, LLAMA_TOKENS, tokenizer
from tests.integration.inference.checkpoints.qwen import QWEN_TEMPLATE, QWEN_TOKENS

# Refuses a system message, as Mistral's and Gemma's do.
LLAVA_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{% if m.role == 'user' %}[INST] {% for c in m.content %}{% if c.type == 'image' %}<image>\n{% else %}{{ c.text }}"
    "{% endif %}{% endfor %} [/INST]{% else %} {{ m.content[0].text }}</s>{% endif %}{% endfor %}"
)


def llava_next() -> tuple[Any, Any]:
    words = tokenizer(LLAMA_TOKENS, unk_token="<unk>", pad_token="<pad>", eos_token="</s>", bos_token="<s>")
    grid = [[56, 112], [112, 56], [112, 112]]
    config = tf.LlavaNextConfig(
        text_config=LLAMA | {"vocab_size": len(words)},
        vision_config=CLIP,
        image_token_index=words.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=grid,
        image_seq_length=16,
    )
    crop = {"height": 56, "width": 56}
    pixels = tf.LlavaNextImageProcessorPil(size={"shortest_edge": 56}, crop_size=crop, image_grid_pinpoints=grid)
    processor = tf.LlavaNextProcessor(
        image_processor=pixels,
        tokenizer=words,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=LLAVA_TEMPLATE,
    )
    return config, processor


def llava() -> tuple[Any, Any]:
    words = tokenizer(LLAMA_TOKENS, unk_token="<unk>", pad_token="<pad>", eos_token="</s>", bos_token="<s>")
    config = tf.LlavaConfig(
        text_config=LLAMA | {"vocab_size": len(words)},
        vision_config=CLIP,
        image_token_index=words.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
    )
    pixels = tf.CLIPImageProcessorPil(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56})
    processor = tf.LlavaProcessor(
        image_processor=pixels,
        tokenizer=words,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=LLAVA_TEMPLATE,
    )
    return config, processor


def internvl() -> tuple[Any, Any]:
    marks = {"start_image_token": "<img>", "end_image_token": "</img>"}
    marks |= {"context_image_token": "<IMG_CONTEXT>", "video_token": "<video>"}
    words = tokenizer(
        [*QWEN_TOKENS, *marks.values()],
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        extra_special_tokens=marks,
    )
    tower = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = tf.InternVLConfig(
        text_config=LLAMA
        | {"model_type": "qwen2", "vocab_size": len(words), "pad_token_id": 0, "bos_token_id": None}
        | {"eos_token_id": words.eos_token_id},
        vision_config=tower | {"image_size": [56, 56], "patch_size": [14, 14]},
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    pixels = tf.GotOcr2ImageProcessorPil(
        size={"height": 56, "width": 56}, crop_to_patches=True, min_patches=1, max_patches=4
    )
    template = QWEN_TEMPLATE.replace("<|vision_start|><|image_pad|><|vision_end|>", "<IMG_CONTEXT>")
    processor = pictures_only(tf.InternVLProcessor)(
        image_processor=pixels, tokenizer=words, video_processor=NoVideo(), image_seq_length=4, chat_template=template
    )
    return config, processor


def vipllava() -> tuple[Any, Any]:
    """Of a type that `core/inference/families.py` does not know."""
    _, processor = llava()
    words = processor.tokenizer
    kind: Any = tf.VipLlavaConfig
    config = kind(
        text_config=LLAMA | {"vocab_size": len(words)},
        vision_config=CLIP,
        vision_feature_layers=[-1, -2],
        image_token_index=words.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
    )
    return config, processor
