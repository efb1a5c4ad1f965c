"""Markdown → rich HTML, which Telegram takes from Bot API 10.1 on: headings, lists, tables.

Only tags from a list of ours: those that have Telegram fetch pictures or other media are not in it.
"""

from collections.abc import Sequence
from html import escape

from markdown_it.token import Token

_TAGS = {
    "strong": "b",
    "em": "i",
    "s": "s",
    "paragraph": "p",
    "blockquote": "blockquote",
    "bullet_list": "ul",
    "list_item": "li",
    "tr": "tr",
}


def rich_html(tokens: Sequence[Token]) -> str:
    """Of markdown-it's tokens."""
    out: list[str] = []
    links: list[bool] = []
    for token in tokens:
        name, closing = token.type.rsplit("_", 1)[0], token.nesting == -1
        match token.type:
            case "inline":
                out.append(rich_html(token.children or []))
            case "text":
                out.append(escape(token.content, quote=False))
            case "softbreak" | "hardbreak":
                out.append("<br/>")
            case "code_inline":
                out.append(f"<code>{escape(token.content, quote=False)}</code>")
            case "fence" | "code_block":
                language = escape(token.info.split(" ")[0])
                kind = f' class="language-{language}"' if language else ""
                out.append(f"<pre><code{kind}>{escape(token.content.rstrip(chr(10)), quote=False)}</code></pre>")
            case "hr":
                out.append("<hr/>")
            case "heading_open" | "heading_close":
                out.append(f"</{token.tag}>" if closing else f"<{token.tag}>")
            case "ordered_list_open":
                out.append(f'<ol start="{int(token.attrGet("start") or 1)}">')
            case "ordered_list_close":
                out.append("</ol>")
            case "table_open":
                out.append("<table bordered striped>")
            case "table_close":
                out.append("</table>")
            case "th_open" | "td_open":
                align = str(token.attrGet("style") or "").removeprefix("text-align:")
                out.append(f'<{name} align="{align}">' if align in ("left", "center", "right") else f"<{name}>")
            case "th_close" | "td_close":
                out.append(f"</{name}>")
            case "link_open":
                address = str(token.attrGet("href") or "")
                links.append(is_web(address))
                out.append(f'<a href="{escape(address)}">' if links[-1] else "")
            case "link_close":
                out.append("</a>" if links.pop() else "")
            case "image":
                out.append(_picture(token))
            case _ if token.hidden:
                pass
            case _ if name in _TAGS:
                out.append(f"</{_TAGS[name]}>" if closing else f"<{_TAGS[name]}>")
            case _:
                out.append(escape(token.content, quote=False))
    return "".join(out)


def words(tokens: Sequence[Token]) -> str:
    """Their text alone."""
    return "".join(
        words(token.children) if token.children else " " if "break" in token.type else token.content for token in tokens
    )


def is_web(address: str) -> bool:
    """Whether it may be a link at all."""
    return address.startswith(("https://", "http://"))


def _picture(token: Token) -> str:
    """A link to it, never the picture itself."""
    address = str(token.attrGet("src") or "")
    label = escape(words(token.children or []) or address, quote=False)
    return f'<a href="{escape(address)}">{label}</a>' if is_web(address) else label
