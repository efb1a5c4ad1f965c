"""What the tokens of a checkpoint mean, as its own files say."""

from types import SimpleNamespace
from typing import Any

from transformers import GenerationConfig

from core.inference.vocabulary import Vocabulary, read_vocabulary
from tests.integration.inference.checkpoints import glm4v, qwen2_vl


def read(checkpoint: tuple[Any, Any], **generation: Any) -> tuple[Vocabulary, Any]:
    config, processor = checkpoint
    words = processor.tokenizer
    return read_vocabulary(config, GenerationConfig(**generation), words, processor.chat_template), words


def names(words: Any, ids: frozenset[int]) -> set[str]:
    return set(words.convert_ids_to_tokens(sorted(ids)))


def test_glm() -> None:
    vocabulary, words = read(glm4v(), eos_token_id=[0])
    assert names(words, vocabulary.ends) == {"<|endoftext|>", "<|user|>"}
    assert names(words, vocabulary.pictures) == {"<|image|>"}
    suppressed = names(words, vocabulary.suppressed)
    assert {"<|image|>", "<|video|>", "<|begin_of_image|>", "[gMASK]", "<|assistant|>", "/nothink"} <= suppressed
    # Thoughts, boxes and the end are the model's to write.
    assert not suppressed & {"<think>", "</think>", "<|begin_of_box|>", "<|end_of_box|>", "<|endoftext|>", "<|user|>"}
    hidden = names(words, vocabulary.hidden)
    assert {"<|begin_of_box|>", "<|end_of_box|>", "<|endoftext|>"} <= hidden
    assert not hidden & {"<think>", "</think>"}


def test_qwen() -> None:
    vocabulary, words = read(qwen2_vl())
    assert names(words, vocabulary.ends) == {"<|im_end|>"}
    assert {"<|im_start|>", "<|image_pad|>", "<|vision_start|>"} <= names(words, vocabulary.suppressed)


def test_what_the_checkpoint_itself_suppresses() -> None:
    vocabulary, words = read(qwen2_vl(), suppress_tokens=[60])
    assert words.convert_ids_to_tokens(60) in names(words, vocabulary.suppressed)


def test_tokens_that_the_checkpoint_does_not_have() -> None:
    config, processor = qwen2_vl()
    config.audio_token_id = 10**6
    vocabulary = read_vocabulary(
        config, SimpleNamespace(eos_token_id=None, suppress_tokens=None), processor.tokenizer, processor.chat_template
    )
    assert max(vocabulary.suppressed) < config.get_text_config().vocab_size
