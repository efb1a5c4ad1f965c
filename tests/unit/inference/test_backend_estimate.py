"""Counting tokens without a tokenizer: rather too many than too few, and learning from the server."""

import pytest

from core.inference.openai_backend.estimate import TokenEstimate
from core.inference.port import Message, Picture


def user(text: str, *sizes: tuple[int, int]) -> Message:
    return Message("user", text, tuple(Picture("k", b"", width, height) for width, height in sizes))


# A word and a mark a token each; digits one by one, as some tokenizers have them; most CJK characters one each.
@pytest.mark.parametrize(
    ("text", "at_least"),
    [
        ("What is in the top left of this picture?", 10),
        ("3141592653589793", 16),
        ('{"a": [1, 2], "b": null}', 16),
        ("这张图片的左上角是什么？", 9),
        ("👩‍🚀🚀", 6),
    ],
)
def test_text_is_not_counted_too_low(text: str, at_least: int) -> None:
    assert TokenEstimate()(user(text)) >= at_least


def test_english_is_not_counted_much_too_high() -> None:
    text = "The quick brown fox jumps over the lazy dog and looks at the picture. " * 50
    words = len(text.split())
    assert words < TokenEstimate()(user(text)) < 2.2 * words


@pytest.mark.parametrize(("size", "tokens"), [((512, 512), 324), ((1024, 768), 999), ((1920, 1080), 2691)])
def test_pictures_are_counted_as_glm_and_qwen_do(size: tuple[int, int], tokens: int) -> None:
    estimate = TokenEstimate()
    assert tokens <= estimate.prompt([user("", size)])[1] <= 1.15 * tokens


def test_another_family_of_pictures_is_learned() -> None:
    # LLaVA-NeXT: thousands of tokens for a picture, whatever its size.
    estimate = TokenEstimate()
    before = estimate(user("What is this?", (112, 112)))
    estimate.learn([user("What is this?", (112, 112), (112, 112))], 2 * 2880 + 30)
    assert estimate(user("What is this?", (112, 112))) >= 2880 > before
    # A text costs what it did.
    assert estimate(user("What is this?")) == TokenEstimate()(user("What is this?"))


def test_a_language_that_takes_more_tokens_is_learned_from_long_prompts_and_forgotten_slowly() -> None:
    estimate = TokenEstimate()
    long = user("wxyz " * 1000)
    guessed = estimate(long)
    estimate.learn([user("Hello")], 500)  # What a template adds to a short prompt says nothing.
    assert estimate(long) == guessed
    estimate.learn([long], 2 * guessed)
    assert estimate(long) >= 2 * guessed
    for _ in range(200):
        estimate.learn([long], guessed // 2)
    assert estimate(long) == guessed


def test_a_refusal_without_numbers_counts_everything_higher_each_time() -> None:
    estimate = TokenEstimate()
    prompt = [user("Long. " * 500, (800, 800)), user("And now?")]
    counts = [estimate.prompt(prompt)[0]]
    for _ in range(3):
        estimate.refused(prompt, None)
        counts.append(estimate.prompt(prompt)[0])
    assert counts == sorted(set(counts))
    assert counts[-1] > 1.7 * counts[0]


def test_a_refusal_with_a_number_is_believed() -> None:
    estimate = TokenEstimate()
    prompt = [user("Long. " * 500)]
    estimate.refused(prompt, 5000)
    assert 5000 <= estimate.prompt(prompt)[0] <= 5010
