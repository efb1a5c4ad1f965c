"""The page of an evaluation: the table, and every question that a model got wrong, with its pictures in it.

One file that fetches nothing. Everything that data or models said is escaped.
"""

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image

from glimt.evaluation.data import Item
from glimt.evaluation.run import Side, table

PICTURE = 240
"""Pixels of a picture's longer side on the page."""
MOST = 300
"""Failures that are shown, from the first on."""

_STYLE = """
:root { color-scheme: light dark; --soft: #6b6b66; --rule: #8885; --bad: #b3261e; --good: #1a7f37; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 32px 20px; max-width: 1100px; }
pre { overflow-x: auto; } h1 { font-size: 28px; }
article { display: flex; gap: 16px; padding: 16px 0; border-top: 1px solid var(--rule); flex-wrap: wrap; }
article > div { flex: 1; min-width: 260px; } img { max-width: 100%; border: 1px solid var(--rule); border-radius: 6px; }
h2 { font-size: 17px; margin: 0; } .kind, .note { color: var(--soft); font-size: 14px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 8px 0 0; }
dt { color: var(--soft); } dd { margin: 0; } .wrong { color: var(--bad); } .right { color: var(--good); }
"""


def write_page(file: Path, name: str, sides: Sequence[Side]) -> None:
    """Write the page of `sides`, which answered the questions of the file `name`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(render(name, sides), encoding="utf-8")


def render(name: str, sides: Sequence[Side]) -> str:
    """The page as HTML."""
    asked = [side for side in sides if not side.error]
    failed = [
        number
        for number in range(len(asked[0].scored) if asked else 0)
        if not all(s.scored[number].right for s in asked)
    ]
    parts = [_failure(asked[0].scored[number].item, number, asked) for number in failed[:MOST]]
    for side in sides:
        if side.error:
            parts.insert(0, f'<p class="wrong">{escape(side.model)}: {escape(side.error)}</p>')
    more = f'<p class="note">The first {MOST} of them.</p>' if len(failed) > MOST else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Glimt: {escape(name)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(name)}</h1>\n<pre>{escape(table(sides))}</pre>\n"
        f"<p>{len(failed)} questions that somebody got wrong:</p>\n{more}\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def _failure(item: Item, number: int, sides: Sequence[Side]) -> str:
    said = []
    for side in sides:
        one = side.scored[number]
        words = one.error or one.text or "(nothing)"
        said.append(
            f'<dt>{escape(side.model)}</dt><dd class="{"right" if one.right else "wrong"}">{escape(words)}'
            f"{'' if one.right else f' <span class=kind>ANLS {one.likeness:.2f}</span>'}</dd>"
        )
    pictures = "".join(f'<img alt="" src="{_small(path)}">' for path in item.pictures)
    return (
        f'<article>{pictures}<div><p class="kind">line {item.number} {escape(item.kind)}</p>'
        f"<h2>{escape(item.question)}</h2><dl><dt>accepted</dt><dd>{escape(' | '.join(item.answers))}</dd>"
        f"{''.join(said)}</dl></div></article>"
    )


def _small(path: Path) -> str:
    """The picture as a data address, scaled down. What Pillow cannot open the engine could not either: an empty one."""
    file = io.BytesIO()
    try:
        with Image.open(path) as image:
            image.draft("RGB", (PICTURE, PICTURE))
            small = image.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return "data:,"
    small.thumbnail((PICTURE, PICTURE))
    small.save(file, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
