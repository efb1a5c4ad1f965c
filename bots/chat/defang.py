"""Addresses in answers: shown, but never as links.

A model repeats what stands in a picture, and a picture can tell it to. A link could name one place and lead to
another, and an address that a platform previews is fetched by it, with whatever the model wrote into it. So an address
stands as code, which nothing links or previews; people can still read and copy it. Inside of a code block nothing is
linked anyway.

`without_links` keeps beginnings: what it makes of `settled(text)` is a beginning of what it makes of any longer text,
so that streams only ever grow.
"""

import re

_FENCE = re.compile(r" {0,3}(?P<mark>`{3,}|~{3,})(?P<info>.*)")
# ASCII alone, so that it ends where Chinese goes on; nothing at all where the name itself is not ASCII.
_REST = r"(?:(?![`<>|\"')\]])[!-~])*"
_ADDRESS = re.compile(rf"(?P<before>`?)(?P<address>(?:(?:https?|ftp)://|www\.){_REST})(?P<after>`?)", re.IGNORECASE)
_TRAILING = ".,;:!?"
_UNSETTLED = re.compile(
    r"(?<![A-Za-z])(?:h|ht|htt|https?:?/?|f|ft|ftp:?/?|w|ww|www|`?(?:(?:https?|ftp)://|www\.)[!-~]*)\Z", re.IGNORECASE
)
_INVISIBLE = "\u200b"


def without_links(text: str) -> str:
    """The same text (Markdown) with every address as code, and no link that is written as `[label](address)`."""
    lines, fence = [], ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            if mark is not None and mark["mark"].startswith(fence) and not mark["info"].strip():
                fence = ""
        elif mark is not None:
            fence = mark["mark"]
        else:
            line = _ADDRESS.sub(_as_code, line.replace("](", "] ("))
        lines.append(line)
    return "\n".join(lines)


def settled(text: str) -> str:
    """The beginning of a text that is still being written up to where an address may just begin."""
    return _UNSETTLED.sub("", text)


def _as_code(found: re.Match[str]) -> str:
    before, after = found["before"], found["after"]
    if before and after:
        return found[0]
    if before or after:
        # A stray mark: two more would not make code of it.
        return before + found["address"].replace("://", f":{_INVISIBLE}//").replace("www.", f"www{_INVISIBLE}.") + after
    address = found["address"].rstrip(_TRAILING)
    return f"`{address}`{found['address'][len(address) :]}"
