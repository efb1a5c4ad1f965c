"""Tiny checkpoints with random weights, one for each family, saved as a real one would be.

They prove that the code path of a family is right; they know nothing. Weights are enlarged so that the next token
depends on the picture.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers as tf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from core.inference.processor import NoVideo, pictures_only

SENTENCES = ["What is in this picture? A red square above a blue circle.", "How many are there? Three.", "user system"]
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
QWEN_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
QWEN_TOKENS += ["<|image_pad|>", "<|video_pad|>"]
# Says something of its own when nobody gives it a system message, as Qwen2-VL's does.
QWEN_TEMPLATE = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for c in m.content %}"
    "{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA_TOKENS = ["<unk>", "<s>", "</s>", "<pad>", "<image>"]
# Refuses a system message, as Mistral's and Gemma's do.
LLAVA_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{% if m.role == 'user' %}[INST] {% for c in m.content %}{% if c.type == 'image' %}<image>\n{% else %}{{ c.text }}"
    "{% endif %}{% endfor %} [/INST]{% else %} {{ m.content[0].text }}</s>{% endif %}{% endfor %}"
)
SMOL_TOKENS = [*LLAMA_TOKENS, "<fake_token_around_image>", "<end_of_utterance>", "<global-img>", "<video>"]
SMOL_TOKENS += [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)]
SMOL_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ m.role | capitalize }}: {% for c in m.content %}"
    "{% if c.type == 'image' %}<image>{% else %}{{ c.text }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
GEMMA_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ m.role }}\n{% for c in m.content %}"
    "{% if c.type == 'image' %}<start_of_image>{% else %}{{ c.text }}{% endif %}{% endfor %}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
CLIP = {"model_type": "clip_vision_model", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3}
CLIP |= {"num_attention_heads": 2, "image_size": 56, "patch_size": 14, "projection_dim": 32}
LLAMA = {"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
LLAMA |= {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 2048, "pad_token_id": 3}
TEXT = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
TEXT |= {"num_key_value_heads": 2, "max_position_embeddings": 2048}


def tokenizer(special: list[str], words: Sequence[str] = (), **named: Any) -> Any:
    """A byte-level tokenizer with `special` tokens and with `words` that are added but not special."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        SENTENCES,
        trainers.BpeTrainer(vocab_size=450, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    core.add_tokens(list(words))
    return tf.PreTrainedTokenizerFast(tokenizer_object=core, **named)


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
    return config, _processor(processor_class, pixels, words, GLM_TEMPLATE)


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
    return config, _processor(processor_class, pixels, words, QWEN_TEMPLATE)


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


def _smol(config_class: Any, pixels: Any, make_processor: Callable[..., Any]) -> tuple[Any, Any]:
    words = tokenizer(
        SMOL_TOKENS, unk_token="<unk>", pad_token="<pad>", eos_token="<end_of_utterance>", bos_token="<s>"
    )
    id = words.convert_tokens_to_ids
    tower = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = config_class(
        text_config=LLAMA | {"vocab_size": len(words), "eos_token_id": id("<end_of_utterance>")},
        vision_config=tower | {"image_size": 56, "patch_size": 14},
        image_token_id=id("<image>"),
        scale_factor=2,
        pad_token_id=3,
    )
    made = pixels(size={"longest_edge": 112}, max_image_size={"longest_edge": 56})
    return config, make_processor(image_processor=made, tokenizer=words, image_seq_len=4, chat_template=SMOL_TEMPLATE)


def smolvlm() -> tuple[Any, Any]:
    def make(**parts: Any) -> Any:
        return pictures_only(tf.SmolVLMProcessor)(video_processor=NoVideo(), **parts)

    return _smol(tf.SmolVLMConfig, tf.SmolVLMImageProcessorPil, make)


def idefics3() -> tuple[Any, Any]:
    return _smol(tf.Idefics3Config, tf.Idefics3ImageProcessorPil, tf.Idefics3Processor)


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


# By how much random weights are enlarged, where the usual factor makes all answers alike.
ENLARGED = {"internvl": 6.0, "gemma3": 2.0}

FAMILIES: dict[str, Callable[[], tuple[Any, Any]]] = {
    family.__name__: family
    for family in (
        glm4v,
        glm46v,
        glm_ocr,
        glm4v_moe,
        qwen2_vl,
        qwen2_5_vl,
        qwen3_vl,
        llava,
        llava_next,
        smolvlm,
        idefics3,
        internvl,
        gemma3,
        glm4_moe_lite,
    )
}


def save_checkpoint(family: str, folder: Path, **text: Any) -> Path:
    """Write a tiny checkpoint of `family` into `folder` and return it. `text` goes into its language model's shape."""
    config, processor = FAMILIES[family]()
    for name, value in text.items():
        setattr(config.get_text_config(), name, value)
    torch.manual_seed(0)
    kind: Any = tf.AutoModelForCausalLM if family == "glm4_moe_lite" else tf.AutoModelForMultimodalLM
    model = kind.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() >= 2:
                parameter.mul_(ENLARGED.get(family, 4.0))
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _processor(kind: Any, pixels: Any, words: Any, template: str) -> Any:
    return pictures_only(kind)(
        image_processor=pixels, tokenizer=words, video_processor=NoVideo(), chat_template=template
    )
