"""The tokenizer: byte-level BPE, grown on the model's own conversations.

Every common word of the domain is one token; anything else a user types still has a spelling in
bytes. The control tokens are GLM's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from .chat import TEMPLATE
from .dialogue import sample_dialogue
from .talk import counting

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

CONTROL = (
    "<|endoftext|>",
    "[MASK]",
    "[gMASK]",
    "[sMASK]",
    "<sop>",
    "<eop>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|observation|>",
    "<|begin_of_image|>",
    "<|end_of_image|>",
    "<|begin_of_video|>",
    "<|end_of_video|>",
    "<|image|>",
    "<|video|>",
    "<|begin_of_box|>",
    "<|end_of_box|>",
    "<think>",
    "</think>",
    "/nothink",
)

VOCABULARY = 2048
MAX_TOKENS = 1024
# A Latin word with the space before it, a digit by itself, a Chinese character by itself: prices are read digit by
# digit, and Chinese needs no words.
_PIECES = r", | ?[A-Za-z]+|[0-9]|\p{Han}| ?[^\sA-Za-z0-9\p{Han}]+|\s+"


def corpus() -> Iterator[str]:
    """Questions and answers of some thousand conversations, always the same ones."""
    rng = random.Random("vocabulary")
    for _ in range(100):
        yield counting(rng, 100).answer
    for _ in range(5000):
        dialogue = sample_dialogue(rng, drawn=False)
        if dialogue.system:
            yield dialogue.system
        for exchange in dialogue.exchanges:
            yield exchange.question
            yield exchange.answer
            yield exchange.thought


def build_core() -> Tokenizer:
    """Grow the tokenizer; takes some seconds and gives the same result each time."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    core.train_from_iterator(
        corpus(),
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=list(CONTROL),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return core


def wrap(core: Tokenizer) -> PreTrainedTokenizerFast:
    """`core` as transformers loads and saves it, with the chat template."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        padding_side="left",
        model_max_length=MAX_TOKENS,
        clean_up_tokenization_spaces=False,
        chat_template=TEMPLATE,
        extra_special_tokens={"image_token": "<|image|>", "video_token": "<|video|>"},
    )
