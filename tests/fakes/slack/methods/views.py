"""views.*: App Home and dialogs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.fakes.slack.methods.content import check_view
from tests.fakes.slack.methods.registry import method
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.state import Json
from tests.fakes.slack.world import Caller

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

_BYTES = 250_000


def _stored(fake: FakeSlack, caller: Caller, view: Json, *, home: bool, view_id: str = "") -> Json:
    check_view(view, home=home, file_exists=fake.file_exists)
    if len(json.dumps(view)) > _BYTES:
        raise Refusal("view_too_large", fault="a view of more than 250 kB")
    state: Json = {"values": {}}
    return view | {
        "id": view_id or fake.world.ids("V"),
        "team_id": caller.workspace.id,
        "app_id": fake.app_id,
        "bot_id": caller.workspace.bot_id,
        "hash": fake.world.clock.stamp(),
        "state": state,
        "private_metadata": view.get("private_metadata", ""),
        "callback_id": view.get("callback_id", ""),
    }


@method("views.publish")
def publish(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """The Home tab of one user."""
    user = arguments["user_id"]
    if user not in fake.world.users:
        raise Refusal("user_not_found")
    before = fake.world.homes.get(user)
    if arguments.get("hash") and (before is None or before["hash"] != arguments["hash"]):
        raise Refusal("hash_conflict")
    view_id = before["id"] if before else ""
    fake.world.homes[user] = _stored(fake, caller, arguments["view"], home=True, view_id=view_id)
    return {"view": fake.world.homes[user]}


@method("views.open")
def open_view(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """A dialog, by a trigger that is three seconds old at most and opened none before."""
    trigger = arguments.get("trigger_id") or arguments.get("interactivity_pointer") or ""
    user = fake.use_trigger(trigger)
    view = _stored(fake, caller, arguments["view"], home=False)
    if fake.world.users[user].team_id != caller.workspace.id:
        # Somebody in a shared channel: the form comes back from his own workspace, and this says whose it is.
        view["app_installed_team_id"] = caller.workspace.id
    fake.world.modals[view["id"]] = view | {"user": user}
    return {"view": view}


@method("views.update")
def update_view(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Another content for a dialog that is open."""
    before = fake.world.modals.get(arguments.get("view_id", ""))
    if before is None:
        raise Refusal("not_found")
    if arguments.get("hash") and arguments["hash"] != before["hash"]:
        raise Refusal("hash_conflict")
    view = _stored(fake, caller, arguments["view"], home=False, view_id=before["id"])
    fake.world.modals[view["id"]] = view | {"user": before["user"]}
    return {"view": view}
