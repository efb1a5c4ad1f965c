"""Slack's markup becomes what a person reads."""

import pytest

from bots.slack.words import addressee, mentions, plain

BOT = "UBOT"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<@UBOT> what is this?", "what is this?"),
        ("<@UBOT|glimt>: what is this?", "what is this?"),
        ("hey <@UBOT>, look", "hey  look"),
        ("<@UBOT>", ""),
        ("is 3 &lt; 4 &amp; 5 &gt; 2?", "is 3 < 4 & 5 > 2?"),
        ("ask <@U1|ann> or <@U2>", "ask @ann or @U2"),
        ("in <#C1|general> and <#C2|>", "in #general and #C2"),
        ("<!here> and <!subteam^S1|@team> on <!date^1392734382^{date}|18 Feb>", "@here and @team on 18 Feb"),
        ("see <https://a.example/x?a=1&amp;b=2>", "see https://a.example/x?a=1&b=2"),
        ("see <https://a.example|the page>", "see the page (https://a.example)"),
        ("mail <mailto:a@b.example|a@b.example>", "mail a@b.example"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("a\0b", "ab"),
        ("a < b", "a < b"),
    ],
)
def test_plain(text: str, said: str) -> None:
    assert plain(text, BOT) == said


def test_a_bot_that_is_not_known_stays_in_the_text() -> None:
    assert plain("<@UBOT> hi", "") == "@UBOT hi"


def test_who_is_meant() -> None:
    assert mentions("<@U1> and <@U2|bob>, not <#C3>") == {"U1", "U2"}
    assert addressee(" <@U1|ann>: look") == "U1"
    assert addressee("look, <@U1>") == ""
