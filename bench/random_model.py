"""The model that engines are measured with: random weights in a real shape, so that nothing has to be fetched.

It is written as checkpoints on the hub are, so that every engine reads the very same files.
"""

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase
from typing import Any

import torch
import transformers as tf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.content is string %}{{ m.content }}{% else %}{% for c in m.content %}"
    "{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
VOCABULARY = 32_000
# Two syllables are a word. Beginnings and ends differ, so that words that follow each other have one reading only.
SYLLABLES = 178
# In full, because vLLM takes what is not said for "leave the pixels as they are".
PIXELS = {
    # Pixels of one patch with its merge, and of the largest picture.
    "size": {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 1280},
    "patch_size": 14,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "do_convert_rgb": True,
    "do_resize": True,
    "resample": 3,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Of the language model (`heads` of queries, `groups` of keys) and of the vision tower."""

    width: int
    inner: int
    layers: int
    heads: int
    groups: int
    turned: tuple[int, int, int]
    depth: int
    vision_width: int
    vision_heads: int
    vocabulary: int = VOCABULARY


# For tests of the measurement itself.
SMALL = Shape(64, 256, 2, 4, 2, (2, 3, 3), 2, 64, 4)
# 233 million parameters, which two cores can carry.
USUAL = Shape(1024, 2816, 12, 16, 4, (8, 12, 12), 8, 512, 8)
# Qwen2-VL-2B's, for GPUs.
LARGE = Shape(1536, 8960, 28, 12, 2, (16, 24, 24), 32, 1280, 16, 151_936)


def save_model(folder: Path, shape: Shape = USUAL, device: str = "cpu") -> Path:
    """Write a Qwen2-VL of random parameters in bfloat16, made on `device`, into `folder`.

    Its tokenizer reads bytes and words, and the model says nothing but words: every token is text that is seen at
    once, nothing ends an answer early, and an answer that is read again is the same tokens. A picture of 336 x 336 is
    144 tokens.
    """
    tokenizer, first_word = _tokenizer()
    torch.manual_seed(0)
    auto: Any = tf.AutoModelForMultimodalLM
    with torch.device(device):
        model = auto.from_config(_config(tokenizer, shape), dtype=torch.bfloat16)
    with torch.no_grad():
        # Of logits that are random around zero the largest is positive.
        model.get_output_embeddings().weight[:first_word] = 0
        model.get_output_embeddings().weight[VOCABULARY:] = 0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _write(folder / "preprocessor_config.json", image_processor_type="Qwen2VLImageProcessor", **PIXELS)
    _write(folder / "video_preprocessor_config.json", video_processor_type="Qwen2VLVideoProcessor", **PIXELS)
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


def _config(tokenizer: Any, shape: Shape) -> Any:
    id = tokenizer.convert_tokens_to_ids
    kind: Any = tf.Qwen2VLConfig
    return kind(
        architectures=["Qwen2VLForConditionalGeneration"],
        text_config={
            "vocab_size": shape.vocabulary,
            "hidden_size": shape.width,
            "intermediate_size": shape.inner,
            "num_hidden_layers": shape.layers,
            # Attention that looks somewhere: with less, every answer is one word over and over, whatever was asked.
            "initializer_range": 1.5 / shape.width**0.5,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.groups,
            "max_position_embeddings": 8192,
            "pad_token_id": 0,
            "bos_token_id": None,
            "eos_token_id": id("<|im_end|>"),
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": list(shape.turned),
            },
        },
        vision_config={
            "depth": shape.depth,
            "embed_dim": shape.vision_width,
            "initializer_range": 1 / shape.vision_width**0.5,
            "hidden_size": shape.width,
            "num_heads": shape.vision_heads,
            "mlp_ratio": 4,
        },
        image_token_id=id("<|image_pad|>"),
        video_token_id=id("<|video_pad|>"),
        vision_start_token_id=id("<|vision_start|>"),
        vision_end_token_id=id("<|vision_end|>"),
        tie_word_embeddings=False,
    )


def _tokenizer() -> tuple[Any, int]:
    """Reads bytes and words; and the id of the first word, behind which there is nothing else."""
    beginnings = [a + b for a, b in product(ascii_uppercase[:13], ascii_lowercase)][:SYLLABLES]
    ends = [a + b for a, b in product(ascii_uppercase[13:], ascii_lowercase)][:SYLLABLES]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    syllables = [*beginnings, *ends]
    first_word = len(SPECIAL) + len(letters) + len(syllables)
    words = list(product(beginnings, ends))[: VOCABULARY - first_word]
    vocabulary = [*SPECIAL, *letters, *syllables, *(a + b for a, b in words)]
    merges = [*((text[0], text[1]) for text in syllables), *words]
    core = Tokenizer(models.BPE(vocab={text: id for id, text in enumerate(vocabulary)}, merges=merges))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(list(SPECIAL))
    tokenizer = tf.PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<|endoftext|>", eos_token="<|im_end|>", clean_up_tokenization_spaces=False
    )
    return tokenizer, first_word


def _write(path: Path, **content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
