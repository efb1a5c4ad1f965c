"""The readable part of a person's data: one HTML file without scripts, which a browser opens from the disk."""

from collections.abc import Iterator
from datetime import datetime
from html import escape
from typing import Any

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>Your data in Glimt</title>
<style>
:root { color-scheme: light dark; }
body { max-width: 48rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; font-size: 1.2rem; }
article { margin: 1.5rem 0; padding: 1rem; border: 1px solid #8886; border-radius: 0.8rem; }
p, dd { white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dd { margin: 0; } .soft, dt { opacity: 0.75; font-size: 0.9rem; }
.answer { padding-left: 1rem; border-left: 3px solid #8886; }
img { max-width: 12rem; max-height: 12rem; margin: 0.3rem; border-radius: 0.4rem; vertical-align: top; }
</style>
</head>
<body>
"""


def begin(profile: dict[str, Any], at: datetime) -> str:
    """The head of the file, and who it is about."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{_shown(value)}</dd>" for name, value in profile.items())
    return (
        f"{_HEAD}<h1>Your data in Glimt</h1>\n"
        f"<p>All that this installation has stored about you, on {at:%Y-%m-%d %H:%M} UTC. The files beside this one "
        "hold the same and more, for programs: profile.json, conversations.jsonl, turns.jsonl, feedback.jsonl, "
        "usage.jsonl.</p>\n"
        f"<h2>You</h2>\n<dl>{rows}</dl>\n<h2>What you asked</h2>\n"
    )


def turn(told: dict[str, Any]) -> str:
    """One question with its answer."""
    pictures = "".join(_picture(picture) for picture in told["pictures"])
    said = "".join(f"<p class=soft>{escape(word)}</p>" for word in _remarks(told))
    return (
        f"<article>\n<p class=soft>{escape(told['asked_at'][:16].replace('T', ' '))} UTC · {escape(told['state'])} · "
        f"{escape(told['model'] or 'no model')}</p>\n<p>{escape(told['question'])}</p>\n{pictures}\n"
        f"<p class=answer>{escape(told['answer'])}</p>\n{said}</article>\n"
    )


def end(counts: dict[str, int]) -> str:
    """The foot."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{count}</dd>" for name, count in counts.items())
    return f"<h2>How much there is</h2>\n<dl>{rows}</dl>\n</body>\n</html>\n"


def _remarks(told: dict[str, Any]) -> Iterator[str]:
    for rating in told["feedback"]:
        yield f"rated {'good' if rating['rating'] > 0 else 'bad'}{': ' + rating['reason'] if rating['reason'] else ''}"
    if told["labels"]:
        yield f"labels: {', '.join(told['labels'])}"
    for kind in ("flags", "notes", "corrections", "judgements"):
        for said in told[kind]:
            yield f"{kind[:-1]}: {said['text']}" if said["text"] else kind[:-1]


def _picture(picture: dict[str, Any]) -> str:
    name = escape(picture["name"] or "picture", quote=True)
    if not picture["file"]:
        return f"<p class=soft>{name}: {escape(picture['why_not'])}</p>"
    # The path is ours: an id and a suffix.
    return f'<a href="{picture["file"]}"><img src="{picture["file"]}" alt="{name}" loading="lazy"></a>'


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "<br>".join(escape(str(each)) for each in value) or "–"
    return escape(str(value)) or "–"
