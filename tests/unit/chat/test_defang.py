"""What a model writes links nowhere, in the whole answer as in what is shown of it while it is written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.chat.defang import settled, without_links


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See https://evil.example/a?b=c.", "See `https://evil.example/a?b=c`."),
        ("[your bank](https://evil.example)", "[your bank] (`https://evil.example`)"),
        ("![x](https://evil.example/x.png?secret)", "![x] (`https://evil.example/x.png?secret`)"),
        ("<https://evil.example|your bank>", "<`https://evil.example`|your bank>"),
        ("[a]: HTTP://evil.example", "[a]: `HTTP://evil.example`"),
        ("请看https://evil.example/图片。然后", "请看`https://evil.example/`图片。然后"),
        ("www.evil.example", "`www.evil.example`"),
        ("https://图片.example", "`https://`图片.example"),
        ("https://)http", "`https://`)http"),
        ("`https://example.org/a`", "`https://example.org/a`"),
        ("[here](evil.example)", "[here] (evil.example)"),
        (
            "```\ncurl https://example.org\nf[0](1)\n```\nhttps://a.b",
            "```\ncurl https://example.org\nf[0](1)\n```\n`https://a.b`",
        ),
        ("No address: 3/4, a.b, ftp, http.", "No address: 3/4, a.b, ftp, http."),
    ],
)
def test_addresses_stand_as_code(text: str, shown: str) -> None:
    assert without_links(text) == shown


def test_a_stray_mark_does_not_make_a_link_again() -> None:
    shown = without_links("`https://evil.example and www.evil.example`")
    assert "https://" not in shown
    assert "www." not in shown


def test_what_is_shown_of_a_growing_text_grows() -> None:
    whole = (
        "Look at [this page](https://evil.example/x?y=z), then at www.b.example or ftp://c.example/d and the web.\nhttp"
    )
    shown = [without_links(settled(whole[:end])) for end in range(len(whole) + 1)]
    for before, after in zip(shown, [*shown[1:], without_links(whole)], strict=True):
        assert after.startswith(before), (before, after)


WORDS = st.sampled_from(
    ["http", "https://", "a.b/c", "www.", "](", ")", "[x", "`", " ", "\n", "图", "h", "w", ".", "<!", "ftp://x"]
)


@given(st.lists(WORDS, max_size=12).map("".join))
def test_nothing_that_a_platform_would_link_is_left_outside_of_code(text: str) -> None:
    shown = without_links(text)
    assert "](" not in shown
    bare = re.sub(r"`[^`\n]*`", "", shown) if shown.count("`") % 2 == 0 else shown.replace("`", "")
    if "`" not in text:
        assert not re.search(r"(https?|ftp)://[!-~]*[A-Za-z0-9]", bare), shown
