"""The model that the engine is measured with: random weights in a real shape, so that nothing has to be fetched."""

from pathlib import Path
from typing import Any

import torch
import transformers as tf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from core.inference.processor import NoVideo, pictures_only

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
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for c in m.content %}"
    "{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
VOCABULARY = 32_000


def save_model(folder: Path, *, small: bool = False) -> Path:
    """Write a Qwen2-VL of 200 million random parameters (text 12 x 1024, vision 8 x 512) into `folder`.

    Its tokenizer reads single bytes and writes words; a picture of 336 x 336 is 144 tokens. `small` is for tests of the
    measurement itself.
    """
    words = _tokenizer()
    width, layers, depth = (64, 2, 2) if small else (1024, 12, 8)
    id = words.convert_tokens_to_ids
    kind: Any = tf.Qwen2VLConfig
    config = kind(
        text_config={
            "vocab_size": VOCABULARY,
            "hidden_size": width,
            "intermediate_size": 4 * width if small else 2816,
            "num_hidden_layers": layers,
            "num_attention_heads": width // 16 if small else 16,
            "num_key_value_heads": 2 if small else 4,
            "max_position_embeddings": 8192,
            "pad_token_id": 0,
            "bos_token_id": None,
            "eos_token_id": id("<|im_end|>"),
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [2, 3, 3] if small else [8, 12, 12],
            },
        },
        vision_config={
            "depth": depth,
            "embed_dim": 64 if small else 512,
            "hidden_size": width,
            "num_heads": 4 if small else 8,
            "mlp_ratio": 4,
        },
        image_token_id=id("<|image_pad|>"),
        video_token_id=id("<|video_pad|>"),
        vision_start_token_id=id("<|vision_start|>"),
        vision_end_token_id=id("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    auto: Any = tf.AutoModelForMultimodalLM
    auto.from_config(config, dtype=torch.float32).save_pretrained(folder)
    pixels = tf.Qwen2VLImageProcessorPil(size={"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 1280})
    pictures_only(tf.Qwen2VLProcessor)(
        image_processor=pixels, tokenizer=words, video_processor=NoVideo(), chat_template=TEMPLATE
    ).save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: n for n, symbol in enumerate(alphabet, len(SPECIAL))}
    # The model says anything with random weights, and whatever it says is text: so the first token is seen at once.
    vocabulary |= {f"Ġw{n}": n for n in range(len(SPECIAL) + len(alphabet), VOCABULARY)}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(list(SPECIAL))
    return tf.PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<|endoftext|>", eos_token="<|im_end|>")
