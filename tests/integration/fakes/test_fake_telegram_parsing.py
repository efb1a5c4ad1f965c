"""parse_mode and entities: what comes of them, and what is refused as Telegram refuses it."""

from typing import Any

import pytest
from telegram import Bot, MessageEntity
from telegram.error import BadRequest

from tests.fakes.telegram import Chat, FakeTelegram
from tests.fakes.telegram.entities import cut
from tests.integration.fakes.conftest import Do

# The source, the text, and each entity with what it covers.
HTML = {
    "<b>bold</b> and <i>😀 <u>in</u></i>": (
        "bold and 😀 in",
        [("bold", "bold"), ("italic", "😀 in"), ("underline", "in")],
    ),
    "1 &lt; 2 &amp;&amp; &#65;&#x1F600; &nbsp;": ("1 < 2 && A😀 &nbsp;", []),
    '<a href="https://example.org/?a=1&amp;b=2">link</a>': ("link", [("text_link", "link")]),
    '<pre><code class="language-python">x = 1</code></pre>': ("x = 1", [("pre", "x = 1")]),
    "<code>a</code> <s>b</s> <tg-spoiler>c</tg-spoiler>": (
        "a b c",
        [("code", "a"), ("strikethrough", "b"), ("spoiler", "c")],
    ),
    "<blockquote expandable>long</blockquote>": ("long", [("expandable_blockquote", "long")]),
    "<b></b>text": ("text", []),
    "see https://example.org and @somebody, /help": (
        "see https://example.org and @somebody, /help",
        [("url", "https://example.org"), ("mention", "@somebody"), ("bot_command", "/help")],
    ),
}
MARKDOWN = {
    r"*bold _both_* __under__ ~gone~": (
        "bold both under gone",
        [("bold", "bold both"), ("italic", "both"), ("underline", "under"), ("strikethrough", "gone")],
    ),
    r"1 \+ 1 \= 2\.": ("1 + 1 = 2.", []),
    "`a*b` ||hidden||": ("a*b hidden", [("code", "a*b"), ("spoiler", "hidden")]),
    "```python\nx = 1\n```": ("x = 1", [("pre", "x = 1")]),
    r"[li\_nk](https://example.org/\(1\))": ("li_nk", [("text_link", "li_nk")]),
    ">one\n>two\nthree": ("one\ntwo\nthree", [("blockquote", "one\ntwo")]),
}
REFUSED = {
    ("HTML", "<b>bold"): 'Can\'t find end tag corresponding to start tag "b"',
    ("HTML", "é<x>"): 'Unsupported start tag "x" at byte offset 2',
    ("HTML", "a</b>"): "Unexpected end tag at byte offset 1",
    ("HTML", "<b>a</i>"): 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"',
    ("HTML", "a < b"): 'Unsupported start tag "" at byte offset 2',
    ("HTML", "a <b"): "Unclosed start tag at byte offset 2",
    ("HTML", '<span class="big">a</span>'): 'Tag "span" must have class "tg-spoiler" at byte offset 0',
    ("HTML", "<a href>a</a>"): 'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0',
    ("MarkdownV2", "1 + 1"): "Character '+' is reserved and must be escaped with the preceding '\\'",
    ("MarkdownV2", "end."): "Character '.' is reserved and must be escaped with the preceding '\\'",
    ("MarkdownV2", "é *bold"): "Can't find end of Bold entity at byte offset 3",
    ("MarkdownV2", "```py\nx"): "Can't find end of PreCode entity at byte offset 0",
    ("MarkdownV2", "[a](http://x"): "Can't find end of a URL at byte offset 4",
}


def covered(text: str, entities: tuple[MessageEntity, ...]) -> list[tuple[str, str]]:
    return [(str(entity.type), cut(text, entity.offset, entity.length)) for entity in entities]


@pytest.mark.parametrize(
    ("mode", "source", "expected"),
    [("HTML", source, expected) for source, expected in HTML.items()]
    + [("MarkdownV2", source, expected) for source, expected in MARKDOWN.items()],
)
def test_parsed(bot: Bot, do: Do[Any], chat: Chat, mode: str, source: str, expected: Any) -> None:
    sent = do(bot.send_message(chat.id, source, parse_mode=mode))
    assert (sent.text, covered(sent.text, sent.entities)) == expected


def test_links_and_languages_are_kept(bot: Bot, do: Do[Any], chat: Chat) -> None:
    source = '<a href="https://example.org/?a=1&amp;b=2">x</a><pre><code class="language-c">y</code></pre>'
    link, block = do(bot.send_message(chat.id, source, parse_mode="HTML")).entities
    assert (link.url, block.language) == ("https://example.org/?a=1&b=2", "c")


@pytest.mark.parametrize(("mode", "source"), REFUSED)
def test_refused(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, mode: str, source: str) -> None:
    with pytest.raises(BadRequest) as caught:
        do(bot.send_message(chat.id, source, parse_mode=mode))
    # python-telegram-bot changes the case of the first letters.
    assert caught.value.message.lower() == f"can't parse entities: {REFUSED[mode, source]}".lower()
    # A caller that falls back to plain text has done nothing wrong.
    assert telegram.violations == []


def test_entities(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat) -> None:
    bold = MessageEntity("bold", 3, 3)
    sent = do(bot.send_message(chat.id, " 😀 cat 😀", entities=[bold]))
    assert covered(sent.text, sent.entities) == [("bold", " ca")]
    for wrong, why in (
        (MessageEntity("bold", 5, 4), "ends after the end of the text"),
        (MessageEntity("bold", 0, 1), "cuts a UTF-16 symbol"),
        (MessageEntity("bold", -1, 2), "incorrect offset"),
    ):
        with pytest.raises(BadRequest, match=f"(?i){why}"):
            do(bot.send_message(chat.id, "😀 cat", entities=[wrong]))
    with pytest.raises(BadRequest, match=r"(?i)unsupported entity type"):
        do(bot.send_message(chat.id, "cat", entities=[MessageEntity("shout", 0, 1)]))
    with pytest.raises(BadRequest, match=r"(?i)unsupported parse_mode"):
        do(bot.send_message(chat.id, "cat", parse_mode="Markdown"))
    with pytest.raises(BadRequest, match=r"(?i)parse_mode beside entities"):
        do(bot.send_message(chat.id, "<b>", parse_mode="HTML", entities=[bold]))
    assert len(telegram.take_violations()) == 3


def test_no_more_than_a_hundred_entities_are_kept(bot: Bot, do: Do[Any], chat: Chat) -> None:
    assert len(do(bot.send_message(chat.id, "<b>x</b> " * 101, parse_mode="HTML")).entities) == 100


# What is understood, and what people read of it.
RICH = {
    "<h2>Cats</h2><p>Two <b>cats</b> &mdash;\n<i>asleep</i></p>": "Cats\nTwo cats — asleep",
    "<ul><li>one</li><li>two<br/>lines</li></ul><hr/>": "one\ntwo\nlines",
    '<table bordered><tr><th align="left">a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>': "a | b\n1 | 2",
    '<pre><code class="language-c">x;\ny;</code></pre>': "x;\ny;",
    "<details open><summary>More</summary>of it</details>": "More\nof it",
    "plain &#65; &lt;b&gt;": "plain A <b>",
}
# What is not, why, and whether a sound bot never sends it.
RICH_REFUSED = {
    "<p>open": ("can't find end tag", False),
    "<b><i>a</b></i>": ("unmatched end tag", False),
    "<font>a</font>": ("unsupported start tag", False),
    "<p>&copy;</p>": ("unsupported html entity", False),
    "<table><tr><td><p>a</p></td></tr></table>": ("only inline formatting", False),
    '<img src="https://example.org/cat.png"/>': ("rich_message_media_invalid", True),
    "<p></p>": ("rich_message_content_required", True),
    "<p>x</p>" * 501: ("rich_message_too_many_blocks", True),
    "<b>" * 17 + "x" + "</b>" * 17: ("rich_message_too_deep", True),
    f"<table><tr>{'<td>x</td>' * 21}</tr></table>": ("rich_message_table_too_wide", True),
    "x" * 32_769: ("message is too long", True),
}


@pytest.mark.parametrize("source", RICH)
def test_rich_html(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, source: str) -> None:
    telegram.know_rich()
    do(bot.do_api_request("sendRichMessage", {"chat_id": chat.id, "rich_message": {"html": source}}))
    assert telegram.answers(chat)[-1].text == RICH[source]


@pytest.mark.parametrize("number", range(len(RICH_REFUSED)))
def test_rich_html_refused(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, number: int) -> None:
    telegram.know_rich()
    source, (why, unsound) = list(RICH_REFUSED.items())[number]
    with pytest.raises(BadRequest, match=f"(?i){why}"):
        do(bot.do_api_request("sendRichMessage", {"chat_id": chat.id, "rich_message": {"html": source}}))
    assert len(telegram.take_violations()) == unsound
    assert telegram.answers(chat) == []
