"""SmolVLM and Idefics3."""

from collections.abc import Callable
from typing import Any

import transformers as tf

from core.inference.processor import NoVideo, pictures_only
from tests.integration.inference.checkpoints.parts import LLAMA, LLAMA_TOKENS, tokenizer

SMOL_TOKENS = [*LLAMA_TOKENS, "<fake_token_around_image>", "<end_of_utterance>", "<global-img>", "<video>"]
SMOL_TOKENS += [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)]
SMOL_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ m.role | capitalize }}: {% for c in m.content %}"
    "{% if c.type == 'image' %}<image>{% else %}{{ c.text }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)


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
