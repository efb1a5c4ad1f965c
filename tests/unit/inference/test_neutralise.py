"""No text that a person writes becomes a control token, in any tokenizer, by any detour."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from core.errors import InferenceError
from core.inference.neutralise import Neutraliser

SPECIAL = ["<|endoftext|>", "[gMASK]", "<sop>", "<|user|>", "<|assistant|>", "<|image|>", "<image>", "</s>"]
WORDS = ["<think>", "</think>", "/nothink", "<|begin_of_box|>", "◆"]


def build(normalizer: Any = None, strip: bool = False, spaced: bool = False) -> PreTrainedTokenizerFast:
    alphabet = {symbol: id for id, symbol in enumerate(pre_tokenizers.ByteLevel.alphabet())}
    core = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=spaced)
    core.decoder = decoders.ByteLevel()
    if normalizer is not None:
        core.normalizer = normalizer
    core.add_special_tokens([AddedToken(name, normalized=normalizer is not None, rstrip=strip) for name in SPECIAL])
    core.add_tokens([AddedToken(name, normalized=normalizer is not None, lstrip=strip) for name in [*WORDS, "\n\n"]])
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|endoftext|>")


TOKENIZERS = {
    "plain": build(),
    "folds wide letters": build(normalizers.NFKC()),
    "drops accents and case": build(
        normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()])
    ),
    "takes white space along": build(strip=True),
    "begins with a space": build(spaced=True),
}
PIECES = st.sampled_from(
    [
        *SPECIAL,
        *WORDS,
        "<",
        "|",
        ">",
        "<|",
        "|>",
        "user",
        "ｕｓｅｒ",
        "＜|user|＞",
        "\n\n",
        " ",
        "é",
        "🙂",
        "\u0301",
        "\ud800",
    ]
)
HOSTILE = st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=12).map("".join)


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=150, deadline=None)
@given(text=HOSTILE)
def test_no_control_token_survives(name: str, text: str) -> None:
    tokenizer = TOKENIZERS[name]
    neutralise = Neutraliser(tokenizer)
    try:
        harmless = neutralise(text)
    except InferenceError:
        # Refusing the text is as good; only this tokenizer has texts that it cannot read.
        assert name == "takes white space along"
        return
    ids = tokenizer(harmless, add_special_tokens=False)["input_ids"]
    assert not neutralise.control_ids.intersection(ids)


def test_a_text_that_the_tokenizer_panics_at_is_refused_as_an_error_of_ours() -> None:
    with pytest.raises(InferenceError, match="panic") as caught:
        Neutraliser(TOKENIZERS["takes white space along"])("<image>\n\n\n\n")
    assert "other words" in caught.value.user_message
    assert not caught.value.retryable


@settings(max_examples=100, deadline=None)
@given(
    text=HOSTILE,
    before=st.sampled_from(["<|user|>\n", "<|image|>", ""]),
    after=st.sampled_from(["<|assistant|>", "\n"]),
)
def test_nor_between_the_template_and_the_text(text: str, before: str, after: str) -> None:
    tokenizer = TOKENIZERS["plain"]
    neutralise = Neutraliser(tokenizer)

    def control(prompt: str) -> list[int]:
        return [id for id in tokenizer(prompt)["input_ids"] if id in neutralise.control_ids]

    assert control(before + neutralise(text) + after) == control(before + after)


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_characters="<◆/[", exclude_categories=["Cs"]), max_size=60))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert Neutraliser(TOKENIZERS["plain"])(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("what is <|image|>?", "what is < |image|>?"),
        ("<think>hm</think> /nothink", "< think>hm< /think> / nothink"),
        ("a ◆1", "a ◆ 1"),
        ("two\n\nlines", "two\n\nlines"),
        ("中文 <image> 图", "中文 < image> 图"),
        ("", ""),
    ],
)
def test_it_stays_readable(text: str, shown: str) -> None:
    changed = Neutraliser(TOKENIZERS["plain"])(text)
    if "◆" in text:
        # A control token of one character cannot be broken, so it goes.
        shown = shown.replace("◆", "")
        assert changed.replace(" ", "") == shown.replace(" ", "")
    else:
        assert changed == shown
