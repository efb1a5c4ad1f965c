"""Slack's own markup → the words that a person typed."""

import html
import re

from serving.text import clean

# <@U1>, <@U1|ann>, <#C1|general>, <!here>, <!subteam^S1|@team>, <!date^…|today>, <https://…|label>
_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_LEADING_MENTION = re.compile(r"\s*<@([A-Z0-9]+)(?:\|[^<>]*)?>[\s,:]*")


def mentions(text: str) -> set[str]:
    """Ids of the users that a message mentions."""
    return set(_MENTION.findall(text))


def addressee(text: str) -> str:
    """The user whom a message begins by mentioning; empty: it begins otherwise."""
    found = _LEADING_MENTION.match(text)
    return found[1] if found else ""


def plain(text: str, bot_user: str) -> str:
    """A message's text as a person reads it, without the mentions of `bot_user`."""
    without_us = re.sub(rf"<@{re.escape(bot_user)}(?:\|[^<>]*)?>[,:]?", "", text) if bot_user else text
    return clean(html.unescape(_TOKEN.sub(_spoken, without_us))).strip()


def _spoken(token: re.Match[str]) -> str:
    kind, target, label = token[1], token[2], token[3]
    if kind == "@":
        return f"@{label or target}"
    if kind == "#":
        return f"#{label or target}"
    if kind == "!":
        # Special mentions, user groups, dates; what is shown stands behind the bar.
        return label or f"@{target.partition('^')[0]}"
    address = target.removeprefix("mailto:").removeprefix("tel:")
    return address if not label or label in (target, address) else f"{label} ({address})"
