"""What the tokens of a checkpoint mean, as its own files say."""

from types import SimpleNamespace
from typing import Any

from transformers import GenerationConfig

from core.inference.vocabulary import Vocabulary, read_vocabulary
from tests.integration.inference.checkpoints.gemma import paligemma
from tests.integration.inference.checkpoints.glm import glm4v
from tests.integration.inference.checkpoints.qwen import qwen2_vl
from tests.integration.inference.checkpoints.tiled import phi4_multimodal


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
    assert {"<|endoftext|>", "<|user|>"} <= hidden
    assert not hidden & {"<think>", "</think>", "<|begin_of_box|>", "<|end_of_box|>"}


def test_qwen() -> None:
    vocabulary, words = read(qwen2_vl())
    assert names(words, vocabulary.ends) == {"<|im_end|>"}
    assert {"<|im_start|>", "<|image_pad|>", "<|vision_start|>"} <= names(words, vocabulary.suppressed)
    boxes = {"<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>"}
    assert not boxes & names(words, vocabulary.suppressed | vocabulary.hidden)


def test_phi_names_its_placeholders_in_its_towers() -> None:
    vocabulary, words = read(phi4_multimodal())
    assert names(words, vocabulary.pictures) == {"<|image|>"}
    assert {"<|image|>", "<|audio|>", "<|user|>"} <= names(words, vocabulary.suppressed)
    assert "<|end|>" not in names(words, vocabulary.suppressed)


def test_paligemma_writes_places() -> None:
    config, processor = paligemma()
    vocabulary = read_vocabulary(config, GenerationConfig(), processor.tokenizer, "<image>")
    places = {"<loc0000>", "<loc1023>", "<seg000>"}
    assert not places & names(processor.tokenizer, vocabulary.suppressed | vocabulary.hidden)


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
