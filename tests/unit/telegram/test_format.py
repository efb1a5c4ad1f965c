"""Markdown as Telegram shows it: entities in UTF-16 units, rich HTML, and nothing that is fetched or cut in two."""

import html.parser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.chat.split import utf16_units
from bots.telegram.format import CAPTION_UNITS, TEXT_UNITS, Formatted, clipped, render, rendered, split_text


def marked(shown: Formatted) -> list[tuple[str, str]]:
    """Each entity with the text that it is about."""
    units = shown.text.encode("utf-16-le")
    return [(e.type, units[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le")) for e in shown.entities]


@pytest.mark.parametrize(
    ("markdown", "text", "entities"),
    [
        ("plain", "plain", []),
        ("🙂 **bold** _it_ ~~no~~", "🙂 bold it no", [("bold", "bold"), ("italic", "it"), ("strikethrough", "no")]),
        ("**a *b* c**", "a b c", [("bold", "a b c"), ("italic", "b")]),
        ("**a `b` c**", "a b c", [("bold", "a "), ("code", "b"), ("bold", " c")]),
        ("[here](https://a.example)", "here", [("text_link", "here")]),
        ("<https://a.example>", "https://a.example", []),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))", []),
        ("[x](ftp://a.example/f)", "x (ftp://a.example/f)", []),
        ("![pic](https://evil.example/?q=secret)", "pic", [("text_link", "pic")]),
        ("<b>raw</b> <script>", "<b>raw</b> <script>", []),
        ("ask @bob, `@property`", "ask @\u2060bob, @property", [("code", "@property")]),
        ("- a\n- b\n  - c", "• a\n• b\n   ◦ c", []),
        ("3. a\n4. b", "3. a\n4. b", []),
        ("> one\n> two\n\nthree", "one\ntwo\n\nthree", [("blockquote", "one\ntwo")]),
        ("```py\nx = 1\n```", "x = 1", [("pre", "x = 1")]),
        ("# Head\n\ntext", "Head\n\ntext", [("bold", "Head")]),
        ("**half", "**half", []),
        ("a\n\n---\n\nb", "a\n\n———\n\nb", []),
    ],
)
def test_markdown_becomes_text_with_entities(markdown: str, text: str, entities: list[tuple[str, str]]) -> None:
    shown = render(markdown)
    assert (shown.text, marked(shown)) == (text, entities)


def test_a_narrow_table_is_drawn_and_a_wide_one_told() -> None:
    assert render("| a | b |\n|---|--:|\n| 1 | 你好 |").text == "a │ b\n──┼─────\n1 │ 你好"
    wide = f"| name | {'x' * 40} |\n|---|---|\n| 1 | 2 |"
    assert render(wide).text == f"• name: 1\n• {'x' * 40}: 2"


def test_headings_and_tables_want_a_rich_message_and_nothing_else_does() -> None:
    assert render("**bold** and `code`\n\n- list").rich == ""
    assert render("# A <b>\n\n| a |\n|:-:|\n| **1** |").rich == (
        '<h1>A &lt;b&gt;</h1><table bordered striped><tr><th align="center">a</th></tr>'
        '<tr><td align="center"><b>1</b></td></tr></table>'
    )


class Tags(html.parser.HTMLParser):
    """Which tags there are, and whether they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("br", "hr"):
            assert self.open.pop() == tag


_ALLOWED = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "b", "i", "s", "code", "pre", "a", "br", "hr", "ul", "ol", "li"),
    *("blockquote", "table", "tr", "th", "td"),
}
_PIECES = st.sampled_from(
    [
        *("**", "*", "_", "`", "```\n", "~~", "# ", "> ", "- ", "1. ", "| a | b |\n|---|---|\n", "| 1 | 2 |\n", "\n"),
        *("\n\n", "[x](https://a.b)", "![y](http://c.d)", "<img src=x>", "&amp;", "<", "🙂", "你好", "word ", "\\"),
        "e\u0301",
    ]
)


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_whatever_a_model_writes_can_be_sent(markdown: str) -> None:
    shown = render("# x\n\n" + markdown)
    total = utf16_units(shown.text)
    for entity in shown.entities:
        assert min(entity.offset, entity.length - 1) >= 0
        assert entity.offset + entity.length <= total
    # Which decodes them, so that none cuts a character in two.
    assert len(marked(shown)) == len(shown.entities)
    code = [e for e in shown.entities if e.type in ("code", "pre")]
    inside = [e for e in shown.entities if e.type != "blockquote"]
    for one in code:
        end = one.offset + one.length
        assert [e for e in inside if e.offset < end and one.offset < e.offset + e.length] == [one]
    tags = Tags()
    tags.feed(shown.rich)
    assert tags.open == []
    assert tags.seen <= _ALLOWED


@given(st.lists(_PIECES, max_size=60).map("".join), st.sampled_from([300, 700]))
def test_every_piece_fits(markdown: str, limit: int) -> None:
    pieces = split_text(markdown, limit)
    assert pieces
    assert all(rendered(piece, limit).units <= limit for piece in pieces)


def test_what_is_too_long_is_cut_between_characters() -> None:
    assert clipped("🙂" * 10, 7) == "🙂🙂🙂…"
    assert rendered("- x\n" * 2000).units <= TEXT_UNITS
    assert rendered("**x** " * 2000, CAPTION_UNITS).units == CAPTION_UNITS
