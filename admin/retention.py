"""/retention: how long what is kept. A rule is shown with what it would remove before it can be confirmed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.console import Console
from admin.filters import is_id
from admin.forms import read_form
from admin.log import add_entry
from admin.routes import Routes
from admin.viewer import Viewer
from core.admins import Action, Permission
from core.errors import RequestError, WrongParameter
from core.store.models import Conversation, ConversationHold, Workspace
from core.store.retention.figures import Figures
from core.store.retention.rules import MOST_DAYS, OF_WORKSPACES, Rules, What, least_days
from core.store.retention_tables import RetentionRule, RetentionRun
from core.values import utc_now

RUNS = 10
# What a rule keeps or lets go, and what its rows are called, one and many.
NAMES: Mapping[What, tuple[str, str, str]] = {
    What.TURNS: ("questions, answers and their pictures", "question", "questions"),
    What.PICTURES: ("pictures", "picture", "pictures"),
    What.THINKING: ("what models thought", "answer’s thinking", "answers’ thinking"),
    What.FILES: ("names of files that were not read", "file name", "file names"),
    What.USAGE: ("whose tokens were used (numbers stay)", "entry", "entries"),
    What.EVENTS: ("keys of events whose question is gone", "key", "keys"),
    What.AUDIT: ("the audit log", "entry", "entries"),
}
DAYS, FOR_EVER, AS_DEFAULT = "days", "for-ever", "default"
# What may change between looking and confirming without being shown again: so many rows, and this part of them.
_FEW, _PART = 10, 0.1


@dataclass(frozen=True, slots=True)
class Wish:
    """A rule as a form asks for it. `workspace` None: wherever nothing else is said."""

    what: What
    workspace: str | None
    keep: str
    days: int | None

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Wish":
        """From the fields of a form.

        Raises:
            WrongParameter: it is no rule.
        """
        try:
            what = What(given.get("what", ""))
        except ValueError:
            raise WrongParameter("what", "Choose what the rule is about.") from None
        workspace, keep = given.get("workspace", "") or None, given.get("keep", DAYS)
        if workspace is not None and (not is_id(workspace) or what not in OF_WORKSPACES):
            raise WrongParameter("workspace", f"There is one rule about {NAMES[what][0]}, for all workspaces.")
        if keep not in (DAYS, FOR_EVER, AS_DEFAULT):
            raise WrongParameter("keep", "Choose how long it is kept.")
        return cls(what, workspace, keep, _days(what, given.get("days", "")) if keep == DAYS else None)

    @property
    def said(self) -> bool:
        """Whether there is a rule then. Without one, the default has nothing to say and all is kept."""
        return self.keep != AS_DEFAULT

    def over(self, rules: Rules) -> Rules:
        """The rules with this one among them."""
        return rules.changed(self.workspace, self.what, self.days, said=self.said)

    def fields(self) -> dict[str, str]:
        """As the form has it."""
        return {
            "what": self.what.value,
            "workspace": self.workspace or "",
            "keep": self.keep,
            "days": "" if self.days is None else str(self.days),
        }


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows."""

    rules: list[RetentionRule]
    workspaces: list[Workspace]
    runs: list[RetentionRun]
    held: list[tuple[ConversationHold, Conversation]]


def add_retention(routes: Routes, console: Console) -> None:
    """Add the page of rules and runs, and the one that shows what a rule would remove."""
    store, pages = console.services.store, console.pages

    def read(viewer: Viewer) -> Overview:
        with store.read() as repositories:
            review, retention = repositories.review(viewer.scope), repositories.retention
            workspaces = review.choices().workspaces
            return Overview(retention.stored_rules(), workspaces, retention.runs(RUNS), review.held())

    def look(viewer: Viewer, wish: Wish) -> tuple[Figures, Workspace | None, int | None]:
        """What the rule would remove, where, and for how long it is kept then."""
        with store.read() as repositories:
            known = {workspace.id: workspace for workspace in repositories.review(viewer.scope).choices().workspaces}
            if wish.workspace is not None and wish.workspace not in known:
                raise WrongParameter("workspace", "There is no such workspace.")
            rules = wish.over(repositories.retention.rules())
            figures = repositories.retention.dry_run(rules, wish.what, wish.workspace, utc_now())
        return figures, known.get(wish.workspace or ""), rules.days(wish.what, wish.workspace)

    def confirm(request: Request, viewer: Viewer, wish: Wish, figures: Figures) -> None:
        with store.write() as repositories:
            before = repositories.retention.rules().days(wish.what, wish.workspace)
            if wish.said:
                repositories.retention.set_rule(
                    wish.workspace, wish.what, wish.days, by=viewer.name, shown=figures, now=utc_now()
                )
            else:
                repositories.retention.drop_rule(wish.workspace, wish.what)
            detail: dict[str, Any] = {**wish.fields(), "before": before, "shown": figures.as_json()}
            add_entry(repositories, request, viewer, Action.RETENTION_CHANGED, **detail)

    def ask(request: Request, viewer: Viewer) -> None:
        with store.write() as repositories:
            if repositories.retention.ask_for_run(viewer.name, utc_now()):
                add_entry(repositories, request, viewer, Action.RETENTION_ASKED)

    async def overview(request: Request, viewer: Viewer, problem: str = "", given: Mapping[str, str] = {}) -> Response:
        found = await asyncio.to_thread(read, viewer)
        shown = {"found": found, "names": NAMES, "problem": problem, "given": given, "most": MOST_DAYS}
        return pages.show(request, viewer, "retention.html", status=400 if problem else 200, **shown)

    async def preview(request: Request, viewer: Viewer, wish: Wish, problem: str = "") -> Response:
        figures, workspace, days = await asyncio.to_thread(look, viewer, wish)
        await console.log.note(request, viewer, Action.RETENTION_SHOWN, **wish.fields(), shown=figures.as_json())
        return pages.show(
            request,
            viewer,
            "retention_preview.html",
            status=409 if problem else 200,
            wish=wish,
            figures=figures,
            workspace=workspace,
            days=days,
            names=NAMES[wish.what],
            problem=problem,
        )

    @routes.guarded("GET", "/retention", Permission.SETTINGS)
    async def retention(request: Request, viewer: Viewer) -> Response:
        await console.log.note(request, viewer, Action.READ_RETENTION)
        return await overview(request, viewer, given=dict(request.query_params))

    @routes.guarded("GET", "/retention/preview", Permission.SETTINGS)
    async def shown(request: Request, viewer: Viewer) -> Response:
        given = dict(request.query_params)
        try:
            return await preview(request, viewer, Wish.of(given))
        except RequestError as error:
            return await overview(request, viewer, error.user_message, given)

    @routes.guarded("POST", "/retention", Permission.SETTINGS)
    async def changed(request: Request, viewer: Viewer) -> Response:
        form = await read_form(request)
        given = {name: form.get(name) for name in ("what", "workspace", "keep", "days")}
        try:
            wish = Wish.of(given)
            figures, _, _ = await asyncio.to_thread(look, viewer, wish)
        except RequestError as error:
            return await overview(request, viewer, error.user_message, given)
        seen = {name: form.get(name) for name in ("rows", "conversations", "pictures", "byte_size")}
        if form.get("confirmed") != "1" or not all(map(_is_number, seen.values())):
            return await preview(request, viewer, wish, "Look at what would go, and confirm that you have.")
        if _differs(Figures.of_json(seen), figures):
            return await preview(request, viewer, wish, "Meanwhile something else would go. Please look again.")
        await asyncio.to_thread(confirm, request, viewer, wish, figures)
        return RedirectResponse("/retention", 303)

    @routes.guarded("POST", "/retention/run", Permission.SETTINGS)
    async def asked(request: Request, viewer: Viewer) -> Response:
        await asyncio.to_thread(ask, request, viewer)
        return RedirectResponse("/retention", 303)


def _days(what: What, text: str) -> int:
    least = least_days(what)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    if not least <= number <= MOST_DAYS:
        raise WrongParameter("days", f"Give a number of days, from {least} to {MOST_DAYS:,}.")
    return number


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _differs(seen: Figures, now: Figures) -> bool:
    pairs = ((seen.rows, now.rows), (seen.conversations, now.conversations), (seen.pictures, now.pictures))
    return any(abs(a - b) > max(_FEW, _PART * a) for a, b in pairs)
