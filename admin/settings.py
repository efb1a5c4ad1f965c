"""/settings: what admins decide for the installation, a workspace or a place, with its history. For owners."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.console import Console
from admin.filters import is_id
from admin.forms import Form, read_form
from admin.log import add_entry
from admin.policy_fields import LABELS, LISTENS, NOT_RUNNING
from admin.policy_form import LARGEST, Given, read_policy_form
from admin.policy_view import history_of, modes_for, title_of, what_counts
from admin.routes import Routes
from admin.running import running_models
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.errors import NotFound, WrongParameter
from core.policy.changes import for_audit
from core.policy.document import ANSWER_LANGUAGES, FIELDS, QUOTAS, Policy, read_policy
from core.policy.effective import Decided, Effective
from core.policy.levels import Level
from core.policy.saving import Author, SettingsStale, bring_back, save_policy
from core.policy.snapshot import snapshot_of
from core.store.database import Repositories
from core.store.models import Place, Workspace
from core.store.settings import Target

HISTORY = 30
_GONE = "There is no such workspace or channel, or none that you may read."
_SAVED = "Saved. It counts within a second."


@dataclass(frozen=True, slots=True)
class _At:
    """What a page is about."""

    target: Target
    workspace: Workspace | None = None
    place: Place | None = None

    @property
    def level(self) -> Level:
        return Level(self.target.level)

    @property
    def address(self) -> str:
        if self.level is Level.INSTALLATION:
            return "/settings"
        return f"/settings/{'places' if self.place is not None else 'workspaces'}/{self.target.id}"


def add_settings(routes: Routes, console: Console) -> None:
    """Add the pages of the three levels, and what they do."""
    store, pages, settings = console.services.store, console.pages, console.services.settings

    def find(repositories: Repositories, viewer: Viewer, level: Level, request: Request) -> _At:
        if level is Level.INSTALLATION:
            return _At(Target(level))
        target_id, review = request.path_params["id"], repositories.review(viewer.scope)
        if is_id(target_id) and level is Level.WORKSPACE and (workspace := review.workspace(target_id)) is not None:
            return _At(Target(level, target_id), workspace)
        if is_id(target_id) and level is Level.PLACE and (found := review.place(target_id)) is not None:
            return _At(Target(level, target_id), found[1], found[0])
        raise NotFound(user_message=_GONE)

    def read(request: Request, viewer: Viewer, level: Level, given: Given | None) -> dict[str, Any]:
        with store.read() as repositories:
            at = find(repositories, viewer, level, request)
            versions = repositories.settings.history(at.target, limit=HISTORY + 1)
            snapshot = snapshot_of(repositories.settings.newest())
            choices = repositories.review(viewer.scope).choices() if at.place is None else None
        own = read_policy(versions[0].document) if versions else Policy()
        platform = at.workspace.platform if at.workspace is not None else ""
        place = at.place.external_id if at.place is not None else ""
        chain = snapshot.of(at.workspace.id if at.workspace is not None else "", place).chain
        # A parent of a topic is a place, too, so only the first can be the page's own.
        others = chain[1:] if versions and chain and chain[0].level is level else chain
        shown_policy = given.policy if given is not None and given.policy is not None else own
        effective = Effective((Decided(level, shown_policy), *others))
        document = given.document if given is not None else own.stored()
        modes = modes_for(effective, own)
        places = [] if choices is None or at.workspace is None else choices.places
        return {
            "at": at,
            "title": title_of(at.workspace, at.place),
            "version": versions[0].version if versions else 0,
            "document": document,
            "entries": [*document.get("personas", []), {}],
            "fields": FIELDS[level],
            "counts": what_counts(effective, level, settings, platform),
            "inherited": {line.field: line for line in what_counts(Effective(others), level, settings, platform)},
            "modes": modes,
            "mode_now": effective.persona(at.place.persona).name if at.place is not None else "",
            "history": history_of(versions)[:HISTORY],
            "workspaces": choices.workspaces if choices is not None and at.workspace is None else [],
            "places": [one for one in places if one.workspace_id == at.target.id],
            "models": running_models(settings),
            "languages": ANSWER_LANGUAGES,
            "listens": LISTENS,
            "not_running": NOT_RUNNING,
            "quotas": QUOTAS,
            "labels": LABELS,
        }

    async def page(
        request: Request,
        viewer: Viewer,
        level: Level,
        *,
        given: Given | None = None,
        problem: str = "",
        said: str = "",
        status: int = 200,
        comment: str = "",
    ) -> Response:
        shown = await asyncio.to_thread(read, request, viewer, level, given)
        problems = given.problems if given is not None else {}
        shown |= {"problem": problem, "problems": problems, "said": said, "comment": comment}
        return pages.show(request, viewer, "settings.html", status=status, **shown)

    def save(request: Request, viewer: Viewer, level: Level, policy: Policy, form: Form) -> str:
        with store.write() as repositories:
            at = find(repositories, viewer, level, request)
            author, comment = Author(viewer.name, viewer.admin_id), form.get("comment")
            found = save_policy(repositories, at.target, policy, author, base=_number(form, "base"), comment=comment)
            if found:
                note(repositories, request, viewer, at, changed=for_audit(found))
        return f"{at.address}?{'saved' if found else 'same'}=1"

    def undo(request: Request, viewer: Viewer, level: Level, form: Form) -> str:
        with store.write() as repositories:
            at, version = find(repositories, viewer, level, request), _number(form, "version")
            author = Author(viewer.name, viewer.admin_id)
            found = bring_back(repositories, at.target, version, author, base=_number(form, "base"))
            if found:
                note(repositories, request, viewer, at, changed=for_audit(found), as_in_version=version)
        return f"{at.address}?{'saved' if found else 'same'}=1"

    def note(repositories: Repositories, request: Request, viewer: Viewer, at: _At, **detail: Any) -> None:
        where: dict[str, Any] = {"level": at.level.value}
        if at.workspace is not None:
            where["workspace"] = f"{at.workspace.platform}:{at.workspace.external_id}"
        if at.place is not None:
            where["place"] = at.place.external_id
        add_entry(repositories, request, viewer, Action.SETTINGS_CHANGED, **where, **detail)

    def add_level(level: Level, address: str) -> None:
        @routes.guarded("GET", address, Permission.SETTINGS)
        async def show(request: Request, viewer: Viewer) -> Response:
            asked = request.query_params
            said = _SAVED if "saved" in asked else "Nothing was changed." if "same" in asked else ""
            return await page(request, viewer, level, said=said)

        @routes.guarded("POST", address, Permission.SETTINGS)
        async def changed(request: Request, viewer: Viewer) -> Response:
            form = await read_form(request, largest=LARGEST)
            given = read_policy_form(form, level)
            again = partial(page, request, viewer, level, given=given, comment=form.get("comment"))
            if given.policy is None:
                problem = given.problems.get("", "Nothing was saved yet: look at the fields that are marked.")
                return await again(problem=problem, status=400)
            if form.get("preview") == "1":
                return await again(said="Below is what would count. It is not saved yet.")
            try:
                to = await asyncio.to_thread(save, request, viewer, level, given.policy, form)
            except SettingsStale as error:
                problem = (
                    f"{error.user_message} Below is what you have typed, and under History what the other has changed. "
                    "Saving again replaces it."
                )
                return await again(problem=problem, status=409)
            return RedirectResponse(to, 303)

        @routes.guarded("POST", f"{address}/undo", Permission.SETTINGS)
        async def undone(request: Request, viewer: Viewer) -> Response:
            form = await read_form(request)
            try:
                to = await asyncio.to_thread(undo, request, viewer, level, form)
            except SettingsStale as error:
                problem = f"{error.user_message} Look at the history before you undo something."
                return await page(request, viewer, level, problem=problem, status=409)
            return RedirectResponse(to, 303)

    add_level(Level.INSTALLATION, "/settings")
    add_level(Level.WORKSPACE, "/settings/workspaces/{id}")
    add_level(Level.PLACE, "/settings/places/{id}")


def _number(form: Form, name: str) -> int:
    """The number of a version; `base`: that which the form was made of.

    Raises:
        WrongParameter: it is none.
    """
    text = form.get(name)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise WrongParameter(name, f"{name} is the number of a version.")
    return int(text)
