"""What tiny checkpoints have in common: tokenizers that know a few sentences, and small shapes."""

from collections.abc import Sequence
from typing import Any

import transformers as tf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from core.inference.processor import NoVideo, pictures_only

SENTENCES = ["What is in this picture? A red square above a blue circle.", "How many are there? Three.", "user system"]
LLAMA_TOKENS = ["<unk>", "<s>", "</s>", "<pad>", "<image>"]
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


def seeing(kind: Any, pixels: Any, words: Any, template: str) -> Any:
    return pictures_only(kind)(
        image_processor=pixels, tokenizer=words, video_processor=NoVideo(), chat_template=template
    )
