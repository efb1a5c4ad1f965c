"""/labels: the words that reviewers sort turns by. For owners."""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.console import Console
from admin.filters import is_id
from admin.forms import Form, read_form
from admin.log import add_entry
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.errors import NotFound, RequestError
from core.store.review_tables import Label
from core.store.reviewing.labels import LabelRepository
from core.values import utc_now

Act = Callable[[LabelRepository, str, Form], Label]


def add_labels(routes: Routes, console: Console) -> None:
    """Add the page and its forms."""
    store, pages = console.services.store, console.pages

    def read() -> list[Label]:
        with store.read() as repositories:
            return repositories.labels.list()

    def write(request: Request, viewer: Viewer, how: str, label_id: str, form: Form, act: Act) -> None:
        with store.write() as repositories:
            label = act(repositories.labels, label_id, form)
            add_entry(repositories, request, viewer, Action.LABEL_CHANGED, label=label.name, how=how)

    async def show(request: Request, viewer: Viewer, problem: str = "") -> Response:
        labels = await asyncio.to_thread(read)
        status = 400 if problem else 200
        return pages.show(request, viewer, "labels.html", status=status, labels=labels, problem=problem)

    @routes.guarded("GET", "/labels", Permission.SETTINGS)
    async def labels(request: Request, viewer: Viewer) -> Response:
        return await show(request, viewer)

    def add(path: str, how: str, act: Act) -> None:
        @routes.guarded("POST", path, Permission.SETTINGS)
        async def acted(request: Request, viewer: Viewer) -> Response:
            form = await read_form(request)
            label_id = request.path_params.get("id", "")
            if label_id and not is_id(label_id):
                raise NotFound
            try:
                await asyncio.to_thread(write, request, viewer, how, label_id, form, act)
            except NotFound:
                raise
            except RequestError as error:
                return await show(request, viewer, error.user_message)
            return RedirectResponse("/labels", 303)

    add("/labels", "made", lambda known, _, form: known.add(form.get("name"), utc_now()))
    add("/labels/{id}", "renamed", lambda known, label_id, form: known.rename(label_id, form.get("name")))
    add("/labels/{id}/retire", "retired", lambda known, label_id, _: known.retire(label_id, utc_now()))
    add("/labels/{id}/offer", "offered again", lambda known, label_id, _: known.retire(label_id, None))
