"""auth.*, users.*, bots.*, reactions.*, api.test and apps.connections.open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.fakes.slack.methods.registry import method
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.state import Json
from tests.fakes.slack.world import Caller

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack


@method("api.test")
def api_test(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Says back what it was told."""
    if "error" in arguments:
        raise Refusal(arguments["error"])
    return {"args": arguments}


@method("auth.test")
def auth_test(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Whose token it is. Its scopes are in the header x-oauth-scopes, as with every method."""
    answer: Json = {
        "url": f"https://{caller.workspace.name}.slack.com/",
        "team": caller.workspace.name,
        "team_id": caller.workspace.id,
    }
    if caller.grant.kind == "app":
        return answer | {"app_id": fake.app_id, "app_name": "Glimt"}
    return answer | {
        "user": caller.workspace.bot_user.name,
        "user_id": caller.bot,
        "bot_id": caller.workspace.bot_id,
        "is_enterprise_install": False,
    }


@method("auth.revoke")
def revoke(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """The token is worth nothing from now on."""
    if not arguments.get("test"):
        del fake.world.grants[caller.grant.token]
    return {"revoked": not arguments.get("test")}


@method("apps.connections.open")
def connect(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """The address of a Socket Mode connection, good for one."""
    if caller.grant.kind != "app":
        raise Refusal("not_allowed_token_type")
    if not fake.socket_mode:
        raise Refusal("forbidden_request")
    return {"url": fake.sockets.ticket()}


@method("users.info")
def user_info(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Somebody, with his locale when it is asked for."""
    user = fake.world.users.get(arguments["user"])
    if user is None:
        raise Refusal("user_not_found")
    return {"user": user.as_json(include_locale=bool(arguments.get("include_locale")))}


@method("bots.info")
def bot_info(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """The app's own bot; no other is here."""
    if arguments.get("bot") != caller.workspace.bot_id:
        raise Refusal("bot_not_found")
    user = caller.workspace.bot_user
    bot = {"id": caller.workspace.bot_id, "app_id": fake.app_id, "user_id": user.id, "name": user.name}
    return {"bot": bot | {"deleted": False, "updated": 1_700_000_000, "icons": {}}}


def _reactions(fake: FakeSlack, caller: Caller, arguments: Json) -> dict[str, list[str]]:
    if not re.fullmatch(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?", arguments["name"]):
        raise Refusal("invalid_name", fault=f"reaction {arguments['name']}")
    channel = fake.world.channel(arguments["channel"], caller)
    return fake.world.message(channel, arguments["timestamp"]).reactions


@method("reactions.add")
def add_reaction(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Once for each name."""
    users = _reactions(fake, caller, arguments).setdefault(arguments["name"], [])
    if caller.bot in users:
        raise Refusal("already_reacted")
    users.append(caller.bot)
    return {}


@method("reactions.remove")
def remove_reaction(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """The bot's own."""
    reactions = _reactions(fake, caller, arguments)
    if caller.bot not in reactions.get(arguments["name"], []):
        raise Refusal("no_reaction")
    reactions[arguments["name"]].remove(caller.bot)
    if not reactions[arguments["name"]]:
        del reactions[arguments["name"]]
    return {}
