"""Pages from templates: what all of them are given, and how times and numbers are shown."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from admin.charts.scale import short_count
from admin.markdown import render_markdown
from admin.squeeze import squeezed
from admin.viewer import Viewer
from core.admins import Permission
from core.store.review.names import shown_name

HERE = Path(__file__).parent
# htmx sends it with its own requests; they want a part of the page. When it restores the past it wants the whole page.
_PART = "hx-request"
_RESTORE = "hx-history-restore-request"


def _seconds(value: float | None) -> str:
    """A duration; a dash where there is none."""
    if value is None:
        return "–"
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.0f} h"


def _when(at: datetime) -> str:
    """A time in UTC; the script shows it as the browser's clock does."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _count(value: int) -> str:
    """With a thin space between groups of digits, which no language takes for a decimal sign."""
    return f"{value:,}".replace(",", "\u202f")


def _room(count: int) -> str:
    """So many bytes."""
    size, units = float(count), ["bytes", "KB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "bytes" or size >= 100 else f"{size:.1f} {units[0]}"


def _zipped(words: Iterable[str]) -> list[tuple[str, str]]:
    """Choices that are shown as they are."""
    return [(str(word), str(word)) for word in words]


def wants_part(request: Request) -> bool:
    """Whether only the changed part of the page is asked for."""
    return _PART in request.headers and _RESTORE not in request.headers


class Pages:
    """Renders templates. Everything in them is escaped unless it comes from `render_markdown`."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            seconds=_seconds, room=_room, when=_when, markdown=render_markdown, zipped=_zipped, person=shown_name
        )
        self._templates.filters.update(count=_count, short=short_count)
        self._templates.globals["Permission"] = Permission

    def show(
        self, request: Request, viewer: Viewer | None, template: str, *, status: int = 200, **context: Any
    ) -> Response:
        """The page that a template makes of `context`."""
        html = self._templates.get_template(template).render(viewer=viewer, path=request.url.path, **context)
        # Text in SQL may hold what UTF-8 cannot.
        body, headers = html.encode("utf-8", "replace"), {"vary": "HX-Request, Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["content-encoding"] = squeezed(body), "gzip"
        return HTMLResponse(body, status, headers=headers)
