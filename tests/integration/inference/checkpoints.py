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
LLAMA = {"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
LLAMA |= {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 2048, "pad_token_id": 3}
TEXT = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
TEXT |= {"num_key_value_heads": 2, "max_position_embeddings": 2048}


def tokenizer(special: list[str], words: Sequence[str] = (), **named: str) -> Any:
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


def glm4v() -> tuple[Any, Any]:
    words = tokenizer(GLM_TOKENS, GLM_WORDS, pad_token="<|endoftext|>", eos_token="<|endoftext|>")
    id = words.convert_tokens_to_ids
    rope = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5, "mrope_section": [2, 1, 1]}
    text = TEXT | {"vocab_size": len(words), "pad_token_id": 0, "rope_parameters": rope}
    config = tf.Glm4vConfig(
        text_config=text | {"eos_token_id": [id("<|endoftext|>"), id("<|user|>")]},
        vision_config={"depth": 2, "hidden_size": 32, "num_heads": 2, "out_hidden_size": 64, "intermediate_size": 48}
        | {"image_size": 56},
        image_token_id=id("<|image|>"),
        video_token_id=id("<|video|>"),
        image_start_token_id=id("<|begin_of_image|>"),
        image_end_token_id=id("<|end_of_image|>"),
        video_start_token_id=id("<|begin_of_video|>"),
        video_end_token_id=id("<|end_of_video|>"),
    )
    pixels = tf.Glm4vImageProcessorPil(size={"shortest_edge": 28 * 28 * 2, "longest_edge": 28 * 28 * 2 * 12})
    return config, _processor(tf.Glm4vProcessor, pixels, words, GLM_TEMPLATE)


def qwen2_vl() -> tuple[Any, Any]:
    words = tokenizer(QWEN_TOKENS, pad_token="<|endoftext|>", eos_token="<|im_end|>")
    id = words.convert_tokens_to_ids
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}
    text = TEXT | {"vocab_size": len(words), "pad_token_id": 0, "bos_token_id": None, "rope_parameters": rope}
    config = tf.Qwen2VLConfig(
        text_config=text | {"eos_token_id": id("<|im_end|>")},
        vision_config={"depth": 2, "embed_dim": 32, "hidden_size": 64, "num_heads": 2, "mlp_ratio": 2},
        image_token_id=id("<|image_pad|>"),
        video_token_id=id("<|video_pad|>"),
        vision_start_token_id=id("<|vision_start|>"),
        vision_end_token_id=id("<|vision_end|>"),
    )
    pixels = tf.Qwen2VLImageProcessorPil(size={"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 12})
    return config, _processor(tf.Qwen2VLProcessor, pixels, words, QWEN_TEMPLATE)


def llava_next() -> tuple[Any, Any]:
    words = tokenizer(LLAMA_TOKENS, unk_token="<unk>", pad_token="<pad>", eos_token="</s>", bos_token="<s>")
    grid = [[56, 112], [112, 56], [112, 112]]
    tower = {"model_type": "clip_vision_model", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3}
    config = tf.LlavaNextConfig(
        text_config=LLAMA | {"vocab_size": len(words)},
        vision_config=tower | {"num_attention_heads": 2, "image_size": 56, "patch_size": 14, "projection_dim": 32},
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


def smolvlm() -> tuple[Any, Any]:
    words = tokenizer(
        SMOL_TOKENS, unk_token="<unk>", pad_token="<pad>", eos_token="<end_of_utterance>", bos_token="<s>"
    )
    id = words.convert_tokens_to_ids
    tower = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    kind: Any = tf.SmolVLMConfig
    config = kind(
        text_config=LLAMA | {"vocab_size": len(words), "eos_token_id": id("<end_of_utterance>")},
        vision_config=tower | {"image_size": 56, "patch_size": 14},
        image_token_id=id("<image>"),
        scale_factor=2,
        pad_token_id=3,
    )
    pixels = tf.SmolVLMImageProcessorPil(size={"longest_edge": 112}, max_image_size={"longest_edge": 56})
    processor = pictures_only(tf.SmolVLMProcessor)(
        image_processor=pixels, tokenizer=words, video_processor=NoVideo(), image_seq_len=4, chat_template=SMOL_TEMPLATE
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


FAMILIES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "glm4v": glm4v,
    "qwen2_vl": qwen2_vl,
    "llava_next": llava_next,
    "smolvlm": smolvlm,
    "glm4_moe_lite": glm4_moe_lite,
}


def save_checkpoint(family: str, folder: Path) -> Path:
    """Write a tiny checkpoint of `family` into `folder` and return it."""
    config, processor = FAMILIES[family]()
    torch.manual_seed(0)
    kind: Any = tf.AutoModelForCausalLM if family == "glm4_moe_lite" else tf.AutoModelForMultimodalLM
    model = kind.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() >= 2:
                parameter.mul_(4.0)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _processor(kind: Any, pixels: Any, words: Any, template: str) -> Any:
    return pictures_only(kind)(
        image_processor=pixels, tokenizer=words, video_processor=NoVideo(), chat_template=template
    )
