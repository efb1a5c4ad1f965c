"""Phi-4 and LFM2-VL, whose pictures are cut by our own image processors."""

from typing import Any

import transformers as tf

from core.inference.processor import pictures_only
from core.inference.tiles_lfm2 import Lfm2VlImageProcessor
from core.inference.tiles_phi4 import Phi4MultimodalImageProcessor
from tests.integration.inference.checkpoints.parts import LLAMA, LLAMA_TOKENS, TEXT, tokenizer

# As Phi-4's: nothing stands between two pictures.
PHI_TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{% for c in m.content %}"
    "{% if c.type == 'image' %}<|image|>{% else %}{{ c.text }}{% endif %}{% endfor %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
LFM_TOKENS = [*LLAMA_TOKENS, "<|im_start|>", "<|im_end|>", "<|image_start|>", "<|image_end|>", "<|img_thumbnail|>"]
LFM_TOKENS += [f"<|img_row_{row}_col_{column}|>" for row in range(1, 5) for column in range(1, 5)]
LFM_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{% for c in m.content %}"
    "{% if c.type == 'image' %}<image>{% else %}{{ c.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def phi4_multimodal() -> tuple[Any, Any]:
    marks = {"image_token": "<|image|>", "audio_token": "<|audio|>"}
    special = ["<|endoftext|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", *marks.values()]
    words = tokenizer(special, pad_token="<|endoftext|>", eos_token="<|endoftext|>", extra_special_tokens=marks)
    id = words.convert_tokens_to_ids
    tower = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 2}
    kind: Any = tf.Phi4MultimodalConfig
    config = kind(
        **TEXT,
        vocab_size=len(words),
        original_max_position_embeddings=2048,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=[0, id("<|end|>")],
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.75},
        vision_config=tower
        | {"num_hidden_layers": 3, "image_size": 56, "crop_size": 56, "image_token_id": id("<|image|>")},
        audio_config={"hidden_size": 32, "intermediate_size": 48, "num_blocks": 1, "num_attention_heads": 2}
        | {"ext_pw_out_channel": 32, "depthwise_separable_out_channel": 32, "nemo_conv_channels": 32}
        | {"audio_token_id": id("<|audio|>")},
    )
    cut: Any = Phi4MultimodalImageProcessor
    processor = pictures_only(tf.Phi4MultimodalProcessor)(
        image_processor=cut(size={"height": 56, "width": 56}, dynamic_hd=4),
        audio_processor=tf.Phi4MultimodalFeatureExtractor(),
        tokenizer=words,
        chat_template=PHI_TEMPLATE,
    )
    return config, processor


def lfm2_vl() -> tuple[Any, Any]:
    words = tokenizer(LFM_TOKENS, unk_token="<unk>", pad_token="<pad>", eos_token="<|im_end|>", bos_token="<s>")
    tower = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = tf.Lfm2VlConfig(
        text_config=LLAMA
        | {"model_type": "lfm2", "layer_types": ["conv", "full_attention"], "vocab_size": len(words)}
        | {"block_auto_adjust_ff_dim": False, "eos_token_id": words.eos_token_id, "bos_token_id": 1},
        vision_config=tower | {"model_type": "siglip2_vision_model", "num_patches": 16, "patch_size": 16},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        downsample_factor=2,
        projector_hidden_size=64,
    )
    cut: Any = Lfm2VlImageProcessor
    pixels = cut(tile_size=64, min_image_tokens=1, max_image_tokens=4, max_tiles=4)
    processor = pictures_only(tf.Lfm2VlProcessor)(image_processor=pixels, tokenizer=words, chat_template=LFM_TEMPLATE)
    return config, processor
