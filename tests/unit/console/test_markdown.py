"""Answers as HTML that does nothing."""

import re

import pytest

from admin.markdown import LONGEST, render_markdown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("**a** *b* `c`", "<p><strong>a</strong> <em>b</em> <code>c</code></p>\n"),
        ("# Title", '<p class="heading">Title</p>\n'),
        ("[a](https://x.org/y)", '<p>a <span class="address">(https://x.org/y)</span></p>\n'),
        ("![a](https://x.org/y.png)", '<p>a <span class="address">(https://x.org/y.png)</span></p>\n'),
        ("<https://x.org>", '<p>https://x.org <span class="address">(https://x.org)</span></p>\n'),
        ("[![i](https://a.b/c)](https://d.e)", None),
        ("```py\n<b>\n```", '<pre tabindex="0"><code>&lt;b&gt;\n</code></pre>\n'),
        ("    <b>", '<pre tabindex="0"><code>&lt;b&gt;\n</code></pre>\n'),
        ("a\nb", "<p>a<br>\nb</p>\n"),
        ("红色的**星星**", "<p>红色的<strong>星星</strong></p>\n"),
        ("", ""),
    ],
)
def test_what_answers_look_like(said: str, shown: str | None) -> None:
    html = render_markdown(said)
    assert shown is None or html == shown
    assert not re.search(r"<(a|img)\b|\b(href|src|style)=", html)


def test_a_table_has_no_style_and_scrolls_by_itself() -> None:
    html = render_markdown("| a | b |\n|:--|--:|\n| 1 | <i>2</i> |")
    assert html.startswith('<div class="table" tabindex="0" role="region" aria-label="Table"><table>')
    assert "<td>&lt;i&gt;2&lt;/i&gt;</td>" in html
    assert "style" not in html


@pytest.mark.parametrize(
    "said",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        '[x](https://x.org/"onmouseover=alert(1))',
        "[x]: javascript:alert(1)\n\n[x]",
        '```"><script>\n<script>\n```',
        "| <script> |\n|---|\n| <script> |",
        "&lt;script&gt;",
        "<!-- --><b>",
        "[a](data:text/html,<script>)",
        "![<script>](x)",
        "`<script>`",
    ],
)
def test_no_tag_of_the_models_gets_through(said: str) -> None:
    html = render_markdown(said)
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z]+)", html))
    assert tags <= {"p", "span", "code", "pre", "div", "table", "thead", "tbody", "tr", "td", "th", "strong", "em"}
    assert not re.search(r"<[^>]*\bon\w+=", html)


def test_what_is_very_long_is_shown_as_it_is() -> None:
    html = render_markdown("*a* <b> " + "x" * LONGEST)
    assert html.startswith('<p class="as-it-is">*a* &lt;b&gt; xxx')
